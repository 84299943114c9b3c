// Shows that something waits, as a message of the server says, and opens the authenticator.
"use strict";
self.addEventListener("push", e => {
  let m = {};
  try { m = e.data.json(); } catch { /* a message without text */ }
  e.waitUntil(self.registration.showNotification(m.title || "Limen", { body: m.body || "", tag: "waiting", renotify: true, requireInteraction: true }));
});
self.addEventListener("notificationclick", e => {
  e.notification.close();
  e.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(all => {
    const open = all.find(c => new URL(c.url).pathname === "/authenticator");
    return open ? open.focus() : self.clients.openWindow("/authenticator");
  }));
});
