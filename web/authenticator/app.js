// The authenticator: it keeps a key that no script can read, shows what waits, and signs what its owner says of it.
"use strict";
(function () {
  const root = document.getElementById("authenticator"), say = root.dataset;
  const at = id => document.getElementById(id);
  const bytes = text => new TextEncoder().encode(text);
  const encode = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const decode = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  let me = null, skew = 0, shown = "", timer = 0;

  // What is kept lies in this browser alone.
  const store = () => new Promise((done, fail) => {
    const r = indexedDB.open("limen-authenticator", 1);
    r.onupgradeneeded = () => r.result.createObjectStore("device");
    r.onsuccess = () => done(r.result);
    r.onerror = () => fail(r.error);
  });
  const keep = (mode, f) => store().then(db => new Promise((done, fail) => {
    const t = db.transaction("device", mode), r = f(t.objectStore("device"));
    t.oncomplete = () => { db.close(); done(r.result); };
    t.onerror = t.onabort = () => fail(t.error);
  }));
  const load = () => keep("readonly", s => s.get("me"));
  const save = value => keep("readwrite", s => s.put(value, "me"));
  const forget = () => keep("readwrite", s => s.delete("me"));

  const sign = (key, ...lines) => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, bytes(["limen authenticator 1", ...lines].join("\n"))).then(encode);

  async function post(path, body) {
    const r = await fetch("/Authenticator/" + path, { method: "POST", cache: "no-store", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const date = Date.parse(r.headers.get("Date") || "");
    if (date) skew = date - Date.now();
    return r.json();
  }
  // Clocks of phones go wrong: a call that is refused for it is made again with the server's time.
  async function timed(path, what, fields, ...lines) {
    for (let again = 0; ; again++) {
      const time = Math.round(Date.now() + skew);
      const e = await post(path, { Device: me.id, Time: time, ...fields, Signature: await sign(me.key, what, me.tenant, me.id, String(time), ...lines) });
      if (e.MessageID !== "authenticator.clock" || again > 0) return e;
    }
  }

  function show(name) {
    for (const s of root.querySelectorAll("section")) s.hidden = s.id !== name;
    shown = name;
  }
  function tell(text) { at("said").textContent = text || ""; at("said").hidden = !text; }

  async function code() {
    if (!me) return;
    const now = Date.now() + skew, counter = new DataView(new ArrayBuffer(8)), step = Math.floor(now / 1000 / me.period);
    counter.setUint32(0, Math.floor(step / 4294967296)); counter.setUint32(4, step >>> 0);
    const mac = new DataView(await crypto.subtle.sign("HMAC", me.seed, counter.buffer));
    const n = (mac.getUint32(mac.getUint8(mac.byteLength - 1) & 15) & 0x7fffffff) % 10 ** me.digits;
    at("code").textContent = String(n).padStart(me.digits, "0");
    setTimeout(code, me.period * 1000 - now % (me.period * 1000) + 50);
  }

  let asks = [], scanned = null, stream = null;
  async function look() {
    clearTimeout(timer);
    try {
      const e = await timed("GetWaiting", "waiting", {});
      if (e.success) {
        asks = e.Result;
        if (shown !== "done") draw();
      } else if (e.MessageID === "authenticator.signature") {
        await forget(); me = null; tell(say.gone); begin();
        return;
      }
    } catch { /* no network: it is asked again */ }
    timer = setTimeout(look, document.hidden ? 15000 : 2500);
  }

  function draw() {
    if (scanned || stream) return;
    const a = asks[0];
    if (!a) { if (shown !== "idle") show("idle"); return; }
    if (shown === "ask" && at("ask").dataset.id === a.Id) return;
    ask(a);
  }

  function ask(a) {
    at("ask").dataset.id = a.Id || "";
    at("app").textContent = a.Application || say.tenantName;
    at("account").textContent = a.Account;
    at("place").textContent = a.Place;
    at("agent").textContent = a.Agent;
    at("time").textContent = new Date(a.Asked).toLocaleTimeString(document.documentElement.lang);
    at("number").value = "";
    tell(""); show("ask"); at("number").focus();
  }

  async function answer(approve) {
    const a = scanned || asks.find(x => x.Id === at("ask").dataset.id), number = approve ? at("number").value.trim() : "";
    if (!a) return;
    clearTimeout(timer);
    const over = ["authenticator.ask", "scan.code"], seen = [approve ? "approve" : "refuse", number, a.Account, a.Application, a.Place, String(a.Asked)];
    try {
      const about = a.Code ? ["code", me.tenant, me.id, a.Code] : ["answer", me.tenant, me.id, a.Id, a.Nonce];
      const body = { Device: me.id, Approve: approve, Number: number, Signature: await sign(me.key, ...about, ...seen) };
      const e = a.Code ? await post("AnswerCode", { Code: a.Code, ...body }) : await post("Answer", { Id: a.Id, ...body });
      tell(e.success ? approve ? say.approved : say.refused : e.MessageID === "authenticator.number" ? say.wrong : over.includes(e.MessageID) ? say.over
        : e.MessageID === "login.code_unfit" ? say.unfit : say.failed);
    } catch { tell(say.failed); }
    if (a.Code) scanned = null; else asks = asks.filter(x => x.Id !== a.Id);
    show("idle");
    timer = setTimeout(look, 2500);
  }

  // A code that was read here, or that the telephone's camera has opened this page with.
  async function read(code) {
    if (!code) { tell(say.nocode); return; }
    try {
      const e = await timed("ReadCode", "read", { Code: code }, code);
      if (!e.success) { tell(e.MessageID === "scan.code" ? say.over : say.failed); return; }
      scanned = { ...e.Result, Code: code };
      ask(scanned);
    } catch { tell(say.failed); }
  }
  function codeOf(text) {
    try {
      const u = new URL(text);
      return u.pathname.toLowerCase() === "/security/submitqrcode" && u.searchParams.get("sessionId") || "";
    } catch { return ""; }
  }
  function opened() {
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (code === null) return;
    history.replaceState(null, "", location.pathname);
    read(code);
  }

  function close() {
    if (stream) for (const t of stream.getTracks()) t.stop();
    stream = null; at("view").srcObject = null;
    show("idle"); draw();
  }
  async function camera() {
    tell("");
    try {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      const mine = stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      at("view").srcObject = stream; show("camera"); at("stop").focus();
      await at("view").play();
      while (stream === mine) {
        const found = await detector.detect(at("view"));
        if (stream === mine && found.length) { close(); await read(codeOf(found[0].rawValue)); return; }
        await new Promise(done => setTimeout(done, 200));
      }
    } catch { if (stream) close(); tell(say.unseen); }
  }

  async function enroll() {
    const pair = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
    const key = encode(await crypto.subtle.exportKey("spki", pair.publicKey));
    const e = await post("Enroll", {
      Name: at("name").value, Platform: (navigator.userAgentData && navigator.userAgentData.platform || navigator.platform || "").slice(0, 60), PublicKey: key,
      Signature: await sign(pair.privateKey, "enroll", say.tenant, say.user, key),
    });
    if (!e.success) {
      if (e.MessageID === "session.stale" || e.MessageID === "auth.required") { show("again"); return; }
      tell(e.Message || say.failed); return;
    }
    const r = e.Result, bits = r.Secret.split("").map(c => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
    const seed = await crypto.subtle.importKey("raw", Uint8Array.from(bits.match(/.{8}/g), b => parseInt(b, 2)), { name: "HMAC", hash: "SHA-1" }, false, ["sign"]);
    me = { id: r.Id, tenant: r.TenantId, account: r.Account, key: pair.privateKey, seed, digits: r.Digits, period: r.Period, push: r.PushKey };
    await save(me);
    tell(say.ready); start();
  }

  const worker = () => "serviceWorker" in navigator ? navigator.serviceWorker.register("/authenticator-worker.js", { scope: "/authenticator" }) : Promise.reject();

  async function subscribe() {
    try {
      if (await Notification.requestPermission() !== "granted") { tell(say.unpushed); return; }
      const at = await worker(); await navigator.serviceWorker.ready;
      const s = (await at.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decode(me.push) })).toJSON();
      const e = await timed("SetPushSubscription", "subscribe", { Endpoint: s.endpoint, P256DH: s.keys.p256dh, Auth: s.keys.auth }, s.endpoint, s.keys.p256dh, s.keys.auth);
      tell(e.success ? say.pushed : say.unpushed);
      document.getElementById("push").hidden = e.success;
    } catch { tell(say.unpushed); }
  }

  function start() {
    at("whose").textContent = me.account;
    at("push").hidden = !me.push || !("PushManager" in window) || !("Notification" in window) || Notification.permission === "granted";
    at("read").hidden = !("BarcodeDetector" in window) || !navigator.mediaDevices;
    at("byCamera").hidden = !at("read").hidden;
    show("idle"); code(); look(); opened(); worker().catch(() => {});
  }
  function begin() {
    if (!window.isSecureContext || !crypto.subtle || !window.indexedDB) { show("unable"); return; }
    show(say.user ? "new" : "signin");
  }

  at("approve").addEventListener("submit", v => { v.preventDefault(); answer(true); });
  at("refuse").addEventListener("click", () => answer(false));
  at("enroll").addEventListener("submit", v => { v.preventDefault(); enroll().catch(() => tell(say.failed)); });
  at("push").addEventListener("click", subscribe);
  at("read").addEventListener("click", camera);
  at("stop").addEventListener("click", close);
  addEventListener("hashchange", () => { if (me) opened(); });
  document.addEventListener("visibilitychange", () => { if (me && !document.hidden) look(); });
  load().then(found => { me = found; if (me) start(); else begin(); }).catch(() => show("unable"));
})();
