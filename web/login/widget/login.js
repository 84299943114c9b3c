// The sign-in widget: it asks, in a page of an application, what the sign-in pages ask, by StartAuthentication and AdvanceAuthentication. It
// needs nothing of the page's policy but that this file and its style may be loaded and the tenant be called, and no cookie goes with a call
// from another origin.
"use strict";
(function () {
  const built = BUILT;
  const home = new URL(document.currentScript.src).origin;
  const decode = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
  const encode = buffer => buffer ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "") : undefined;
  const every = 2000; // milliseconds from one look for an answer given elsewhere to the next
  let launched = 0;

  // el makes an element; texts are never read as HTML.
  function el(name, set, ...inner) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(set || {})) {
      if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
      else if (value === true) e.setAttribute(key, "");
      else if (value !== false && value !== undefined && value !== null && value !== "") e.setAttribute(key, value);
    }
    e.append(...inner.filter(x => x));
    return e;
  }

  // tag is the best of our languages for those that are wanted.
  function tag(wanted) {
    for (const want of wanted) {
      for (let t = String(want || "").toLowerCase(); t; t = t.slice(0, Math.max(0, t.lastIndexOf("-")))) {
        const found = built.languages.find(l => l.tag.toLowerCase() === t) || built.languages.find(l => l.tag.toLowerCase().split("-")[0] === t);
        if (found) return found;
      }
    }
    return null;
  }

  async function words(language) {
    if (!language || language.tag === built.words.tag) return built.words;
    try {
      const r = await fetch(home + built.at + language.tag + ".json?_ver=" + language.version, { credentials: "omit" });
      if (r.ok) return await r.json();
    } catch { /* the language of last resort is here */ }
    return built.words;
  }

  class Widget {
    constructor(config, holder, base) {
      this.config = config;
      this.base = base;
      this.own = base === location.origin; // a page of the tenant's own
      this.id = "limen-login-" + ++launched;
      this.user = config.username ? String(config.username) : "";
      this.turn = 0; // whatever was begun for an earlier step is over
      this.used = false; // somebody has done something here: only then the focus moves
      this.moved = false;
      this.said = el("p", { class: "unseen", role: "status" });
      this.sheet = el("div");
      this.root = el("section", { class: "limen-login" }, this.sheet, this.said);
      holder.replaceChildren(this.root);
    }

    async begin() {
      const c = this.config, page = this.root.closest("[lang]");
      this.words = await words(tag([c.locale, page && page.lang, ...navigator.languages]));
      this.root.lang = this.words.tag;
      this.root.dir = this.words.direction;
      this.root.setAttribute("aria-label", this.title());
      if (c.challengeId) return this.call("StartChallenge", { ChallengeStateId: c.challengeId, User: this.user });
      if (this.user && c.autoSubmitUsername) return this.start();
      this.name("");
    }

    say(key, marks) {
      let text = this.words.sentences[key] || key;
      for (const [name, value] of Object.entries(marks || {})) text = text.replaceAll("{" + name + "}", value);
      return text;
    }

    title() {
      return this.config.initialTitle || this.config.defaultTitle || this.say("name.title", { tenant: new URL(this.base).host });
    }

    start() { return this.call("StartAuthentication", { User: this.user }); }

    act(mechanism, action, answer, more) {
      return this.call("AdvanceAuthentication", { SessionId: this.session, MechanismId: mechanism.MechanismId, Action: action, Answer: answer, ...more });
    }

    async ask(operation, body) {
      const r = await fetch(this.base + "/Security/" + operation, {
        method: "POST", cache: "no-store", credentials: "same-origin", referrerPolicy: "strict-origin",
        headers: { "Content-Type": "application/json", "X-IDAP-NATIVE-CLIENT": "true" }, body: JSON.stringify(body),
      });
      if (r.status === 429) return { wait: Number(r.headers.get("Retry-After")) || 30 };
      return r.json();
    }

    // call does what a step ends with, and shows what follows from it.
    async call(operation, body) {
      const turn = ++this.turn;
      for (const b of this.root.querySelectorAll("button")) b.disabled = true;
      let e;
      try {
        e = await this.ask(operation, operation.startsWith("Start") ? { Version: "1.0", ...body } : body);
      } catch {
        e = null;
      }
      if (turn === this.turn) await this.take(e, operation.startsWith("Start"));
    }

    async take(e, starting) {
      if (!e || e.wait) {
        const reason = e ? this.say("step.wait", { seconds: e.wait }) : this.say("app.failed");
        return starting || !this.session ? this.name(reason) : this.show(reason);
      }
      const r = e.Result || {};
      if (e.success && !r.Summary && r.PodFqdn && !this.moved) { // another host has the person's tenant
        this.moved = true;
        this.base = "https://" + r.PodFqdn;
        this.own = this.base === location.origin;
        return this.start();
      }
      switch (e.success ? r.Summary : "") {
        case "NewPackage":
          this.session = r.SessionId;
          this.hints = r.ClientHints || {};
          this.challenges = r.Challenges;
          this.at = 0;
          this.wait = r.RetryWaitingTime || 0;
          this.chosen = null;
          return this.show(this.reason || "", r.ClientMessage || r.EventDescription);
        case "StartNextChallenge":
          this.at = Math.min(this.at + 1, this.challenges.length - 1);
          this.chosen = null;
          return this.show("");
        case "OobPending":
          return this.pending(r);
        case "LoginSuccess":
          return this.succeed(r);
        case "NoncommitalSuccess":
          return this.told(r.ClientMessage);
      }
      this.fail(e, starting);
    }

    // fail tells the page, and begins anew: whatever fails ends the conversation.
    fail(e, starting) {
      const summary = e.Result && e.Result.Summary || "Failure";
      if (typeof this.config.failure === "function") this.config.failure({ Result: { Summary: summary }, Summary: summary });
      this.session = "";
      if (starting || this.config.challengeId) {
        this.reason = "";
        return this.name(this.say("fault.login.failed"));
      }
      this.reason = this.say("fault.login.failed");
      return this.start();
    }

    succeed(r) {
      this.draw(this.say("welcome.title"), el("p", {}, r.DisplayName || r.User || ""));
      if (typeof this.config.success === "function") this.config.success(r);
      else location.assign(this.config.appKey ? "/UPRest/HandleAppClick?appkey=" + encodeURIComponent(this.config.appKey) : "/login");
    }

    told(text) {
      this.session = "";
      this.draw(this.say("told.title"), el("p", {}, text || this.say("told.perhaps")), this.button("left.on", () => this.name("")));
    }

    // draw shows a step in place of the one before.
    draw(title, ...inner) {
      this.turn++;
      const head = el("h2", { tabindex: "-1" }, title);
      this.sheet.replaceChildren(head, ...inner.flat().filter(x => x));
      this.said.textContent = title;
      const first = this.sheet.querySelector("input:not(.unseen):not([type=checkbox])") || this.sheet.querySelector("form button");
      if (this.used) (first || head).focus();
      return this.turn;
    }

    alert(text) { return text ? el("p", { class: "reason", id: this.id + "-reason", role: "alert" }, text) : null; }

    button(key, does, kind) {
      return el("button", { type: "button", class: kind || "", onclick: () => { this.used = true; does(); } }, this.say(key));
    }

    form(does, ...inner) {
      return el("form", { onsubmit: e => { e.preventDefault(); this.used = true; does(); } }, ...inner.flat());
    }

    field(label, set, reason) {
      const id = this.id + "-" + (set.name || "answer");
      const input = el("input", { id, type: "text", autocapitalize: "off", spellcheck: "false", required: true, maxlength: "512",
        "aria-describedby": reason ? this.id + "-reason" : "", "aria-invalid": reason ? "true" : "", ...set });
      return [el("label", { for: id }, label), input];
    }

    name(reason) {
      this.session = "";
      this.reason = "";
      const [label, input] = this.field(this.say("name.user"), { name: "username", autocomplete: "username", inputmode: "email" }, reason);
      input.value = this.user;
      this.draw(this.title(), this.alert(reason), this.form(() => { this.user = input.value.trim(); this.start(); }, label, input,
        el("button", { type: "submit" }, this.say("name.button"))));
    }

    // show asks for what is due: a choice, or the one mechanism that there is.
    show(reason, notice) {
      this.reason = "";
      const due = this.challenges[this.at].Mechanisms;
      if (!this.chosen && due.length > 1) return this.choose(due, reason);
      const m = this.chosen || due[0];
      const waits = this.wait ? this.say("step.wait", { seconds: this.wait }) : "";
      this.mechanism(m, [reason, waits].filter(x => x).join(" "), notice);
      if (this.wait) this.hold();
    }

    // hold keeps answers back that would not be looked at.
    hold() {
      const turn = this.turn, buttons = [...this.sheet.querySelectorAll("button[type=submit]")];
      for (const b of buttons) b.disabled = true;
      setTimeout(() => {
        if (turn !== this.turn) return;
        this.wait = 0;
        for (const b of buttons) b.disabled = false;
      }, this.wait * 1000);
    }

    choose(due, reason) {
      this.draw(this.say("choose.title"), this.who(), this.alert(reason), el("div", { class: "ways" }, ...due.map(m => el("button", {
        type: "button", class: "way", onclick: () => { this.used = true; this.chosen = m; this.show(""); },
      }, this.way(m)))));
    }

    way(m) {
      switch (m.Name) {
        case "UP": return this.say("way.password");
        case "SQ": return this.say("way.questions");
        case "EMAIL": return this.say("way.mail", { where: m.MaskedEmailAddress });
        case "SMS": return this.say("way.sms", { where: m.PartialDeviceAddress });
        case "PF": return this.say("way.call", { where: m.PartialPhoneNumber });
        case "OTP": return this.say("way.push");
        case "OATH": return this.say("way.app");
        case "QR": return this.say("way.scan");
        case "RECOVERY": return this.say("way.recovery");
        case "U2F": return this.say({ ONDEVICE: "way.device", PASSKEY: "way.passkey" }[m.Type] || "way.key");
      }
      return m.PromptSelectMech || m.Name;
    }

    mechanism(m, reason, notice) {
      const about = notice ? el("p", {}, notice) : null;
      switch (m.Name) {
        case "UP": return this.password(m, reason, about);
        case "RESET": return this.renew(m, reason, about);
        case "SQ": return this.questions(m, reason, about);
        case "EMAIL": return this.sends(m, reason, "send.mail", { where: m.MaskedEmailAddress });
        case "SMS": return this.sends(m, reason, "send.sms", { where: m.PartialDeviceAddress });
        case "PF": return this.sends(m, reason, "send.call", { where: m.PartialPhoneNumber }, "call.button");
        case "OTP": return this.push(m, reason);
        case "QR": return this.sends(m, reason, "scan.ask", {}, "scan.button");
        case "U2F": return this.key(m, reason);
        case "CONSENT": return this.terms(m, reason);
        case "OATH": return this.code(m, reason, this.say("code.app"));
        case "RECOVERY": return this.code(m, reason, this.say("recovery.lead"), this.say("recovery.title"), { inputmode: "text", autocomplete: "off", autocapitalize: "characters" });
      }
      if (m.AnswerType === "StartOob") return this.sends(m, reason, m.PromptMechChosen, {});
      return this.code(m, reason, m.PromptMechChosen, "", { inputmode: "text", autocomplete: "off" });
    }

    who() {
      return el("p", { class: "who" }, el("span", {}, this.user), this.button("name.other", () => this.leave(), "plain"));
    }

    // leave gives the conversation up, and what it had started.
    leave() {
      if (this.session) this.ask("CleanupAuthentication", { SessionId: this.session }).catch(() => {});
      this.user = "";
      this.name("");
    }

    account() {
      return el("input", { class: "unseen", type: "text", name: "username", value: this.user, autocomplete: "username", readonly: true, tabindex: "-1", "aria-hidden": "true" });
    }

    // persist is the offer to stay signed in, on the tenant's own pages alone: elsewhere no cookie comes of it.
    persist() {
      if (!this.own || !this.hints.AllowPersist || this.at > 0) return null;
      this.stay = el("input", { type: "checkbox", id: this.id + "-persist" });
      return el("label", { class: "check", for: this.id + "-persist" }, this.stay, el("span", {}, this.say("step.persist")));
    }

    other() {
      return this.challenges[this.at].Mechanisms.length > 1
        ? el("p", { class: "more" }, this.button("step.other", () => { this.chosen = null; this.show(""); }, "plain")) : null;
    }

    answer(m, text) { return this.act(m, "Answer", text, this.own && this.stay && this.stay.checked ? { PersistentLogin: true } : {}); }

    password(m, reason, about) {
      const [label, input] = this.field(this.say("password.label"), { type: "password", name: "password", autocomplete: "current-password" }, reason);
      const forgot = this.hints.AllowForgotPassword
        ? this.button("password.forgot", () => this.call("AdvanceAuthentication", { SessionId: this.session, Action: "ForgotPassword" }), "plain") : null;
      this.draw(this.say("password.title"), this.who(), about, this.alert(reason), this.form(() => this.answer(m, input.value), this.account(), label, input,
        this.persist(), el("button", { type: "submit" }, this.say("password.button")), forgot), this.other());
    }

    renew(m, reason, about) {
      const [label, input] = this.field(this.say("invitation.password"), { type: "password", name: "password", autocomplete: "new-password" }, reason);
      const [label2, again] = this.field(this.say("invitation.again"), { type: "password", name: "again", autocomplete: "new-password" });
      const differ = el("p", { class: "reason", role: "alert", hidden: true }, this.say("fault.invite.differ"));
      const hint = m.PasswordComplexityHint ? el("p", { class: "hint", id: this.id + "-rules" }, m.PasswordComplexityHint) : null;
      if (hint) input.setAttribute("aria-describedby", this.id + "-rules" + (reason ? " " + this.id + "-reason" : ""));
      this.draw(this.say("reset.title"), this.who(), about || el("p", {}, this.say("reset.lead")), this.alert(reason), differ, this.form(() => {
        differ.hidden = input.value === again.value;
        if (differ.hidden) this.answer(m, input.value);
        else again.focus();
      }, this.account(), hint, label, input, label2, again, el("button", { type: "submit" }, this.say("invitation.button"))));
    }

    questions(m, reason, about) {
      const parts = m.MultipartMechanism ? m.MultipartMechanism.MechanismParts : [{ Uuid: "", QuestionText: m.Question }];
      const fields = parts.map((p, i) => this.field(p.QuestionText, { name: "part" + i, autocomplete: "off" }, reason));
      this.draw(this.say("questions.title"), this.who(), about, this.alert(reason), this.form(() => {
        this.answer(m, parts[0].Uuid ? Object.fromEntries(parts.map((p, i) => [p.Uuid, fields[i][1].value])) : fields[0][1].value);
      }, fields, this.persist(), el("button", { type: "submit" }, this.say("step.button"))), this.other());
    }

    code(m, reason, lead, title, set, more) {
      const [label, input] = this.field(title || this.say("code.label"), { class: "digits", name: "code", inputmode: "numeric", autocomplete: "one-time-code", dir: "ltr", maxlength: "128", ...set }, reason);
      return this.draw(title || this.say("code.title"), this.who(), el("p", {}, lead), this.alert(reason), this.form(() => this.answer(m, input.value), label, input,
        this.persist(), el("button", { type: "submit" }, this.say("step.button")), more), this.other());
    }

    // sends is the step before something is sent.
    sends(m, reason, key, marks, button) {
      this.draw(this.say("send.title"), this.who(), el("p", {}, this.say(key, marks)), this.alert(reason),
        this.form(() => this.act(m, "StartOOB"), el("button", { type: "submit" }, this.say(button || "send.button"))), this.other());
      this.due = m;
    }

    push(m, reason) {
      this.due = m;
      const [label, input] = this.field(this.say("push.code"), { class: "digits", name: "code", inputmode: "numeric", autocomplete: "one-time-code", dir: "ltr" }, reason);
      this.draw(this.say("push.title"), this.who(), el("p", {}, this.say("push.ask")), this.alert(reason),
        this.form(() => this.act(m, "StartOOB"), el("button", { type: "submit" }, this.say("push.button"))),
        this.form(() => this.answer(m, input.value), label, input, this.persist(), el("button", { class: "quiet", type: "submit" }, this.say("step.button"))), this.other());
    }

    terms(m, reason) {
      this.draw(this.say("terms.title"), this.who(), el("p", {}, m.PromptMechChosen), this.alert(reason),
        this.form(() => this.act(m, "Answer", "agree"), el("button", { type: "submit" }, this.say("terms.agree"))),
        el("p", { class: "more" }, this.button("terms.refuse", () => this.leave(), "plain")));
    }

    // key leads to the tenant's own page where no key of the tenant's can sign: browsers bind them to its pages.
    key(m, reason) {
      this.due = m;
      if (!this.own) {
        const on = el("p", {}, el("a", { class: "main", href: this.base + "/login" }, this.say("widget.open")));
        return this.draw(this.say("key.title"), this.who(), el("p", {}, this.say("widget.key", { tenant: new URL(this.base).host })), on, this.other());
      }
      this.draw(this.say("key.title"), this.who(), el("p", {}, this.say("key.lead")), this.alert(reason),
        this.form(() => this.act(m, "StartOOB"), this.persist(), el("button", { type: "submit" }, this.say("step.button"))), this.other());
    }

    // pending shows what is to be done elsewhere, and looks whether it was.
    pending(r) {
      const m = this.chosen || this.due || this.challenges[this.at].Mechanisms[0];
      const again = this.button("code.resend", () => this.act(m, "RetryOOB"), "plain");
      switch (m.Name) {
        case "U2F": return this.sign(m, r.PublicKey);
        case "EMAIL": this.code(m, "", this.say("code.mail", { where: m.MaskedEmailAddress }), "", {}, again); break;
        case "SMS": this.code(m, "", this.say("code.sms", { where: m.PartialDeviceAddress }), "", {}, again); break;
        case "PF":
          this.draw(this.say("call.title"), this.who(), el("p", {}, this.say("call.lead", { where: m.PartialPhoneNumber })),
            this.button("call.again", () => this.act(m, "RetryOOB"), "plain"), this.other());
          break;
        case "QR": this.scan(m, r); break;
        case "OTP": this.number(m, r); break;
        default: this.code(m, "", m.PromptMechChosen, "", { inputmode: "text", autocomplete: "off" });
      }
      this.poll(m, this.turn);
    }

    number(m, r) {
      const [label, input] = this.field(this.say("push.code"), { class: "digits", name: "code", inputmode: "numeric", autocomplete: "one-time-code", dir: "ltr" });
      this.draw(this.say("push.title"), this.who(), el("p", {}, this.say(r.GeneratedAuthValue ? "push.lead" : "push.limited")),
        r.GeneratedAuthValue ? el("p", { class: "number", dir: "ltr" }, r.GeneratedAuthValue) : null,
        this.form(() => this.answer(m, input.value), label, input, el("button", { class: "quiet", type: "submit" }, this.say("step.button"))), this.other());
      if (r.GeneratedAuthValue) this.said.textContent = this.say("push.lead") + " " + r.GeneratedAuthValue;
    }

    // scan draws the code: a page's policy may let no image of an address of data be shown.
    scan(m, r) {
      const canvas = el("canvas", { role: "img", "aria-label": this.say("scan.image") });
      this.draw(this.say("scan.title"), this.who(), el("p", {}, this.say("scan.lead")), el("p", { class: "scan" }, canvas),
        r.GeneratedAuthValue ? [el("p", {}, this.say("scan.number")), el("p", { class: "number", dir: "ltr" }, r.GeneratedAuthValue)] : null, this.other());
      createImageBitmap(new Blob([decode(String(m.Image || "").replace(/^[^,]*,/, ""))], { type: "image/png" })).then(image => {
        canvas.width = image.width;
        canvas.height = image.height;
        canvas.getContext("2d").drawImage(image, 0, 0);
      }).catch(() => {});
    }

    sign(m, options) {
      const turn = this.turn;
      const failed = () => { if (turn === this.turn) this.key(m, this.say("key.failed")); };
      if (!options || !navigator.credentials || !window.PublicKeyCredential) return failed();
      const o = { ...options, challenge: decode(options.challenge), allowCredentials: (options.allowCredentials || []).map(k => ({ ...k, id: decode(k.id) })) };
      navigator.credentials.get({ publicKey: o }).then(c => {
        if (turn !== this.turn) return;
        const a = c.response;
        this.answer(m, JSON.stringify({ id: c.id, rawId: encode(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment || undefined, clientExtensionResults: {},
          response: { clientDataJSON: encode(a.clientDataJSON), authenticatorData: encode(a.authenticatorData), signature: encode(a.signature), userHandle: encode(a.userHandle) } }));
      }).catch(failed);
    }

    async poll(m, turn) {
      for (;;) {
        await new Promise(done => setTimeout(done, every));
        if (turn !== this.turn || !this.root.isConnected) return;
        let e;
        try {
          e = await this.ask("AdvanceAuthentication", { SessionId: this.session, MechanismId: m.MechanismId, Action: "Poll" });
        } catch { continue; /* no network: it is asked again */ }
        if (turn !== this.turn) return;
        if (e.wait || e.success && e.Result && e.Result.Summary === "OobPending") continue;
        return this.take(e, false);
      }
    }
  }

  // LaunchLoginView shows the sign-in in the element that config.containerSelector names, and hands what comes of it to config.success and config.failure.
  window.LaunchLoginView = function (config) {
    const c = { ...config }, holder = c.containerSelector ? document.querySelector(c.containerSelector) : null;
    if (!holder) throw new Error("LaunchLoginView: nothing fits containerSelector");
    const at = new URL(c.apiFqdn ? "https://" + c.apiFqdn : home);
    if (at.origin + "/" !== at.href) throw new Error("LaunchLoginView: apiFqdn is no host");
    const base = at.host === new URL(home).host ? home : at.origin;
    if (base !== location.origin && typeof c.success !== "function") throw new Error("LaunchLoginView: a page of another origin needs success");
    new Widget(c, holder, base).begin();
  };
})();
