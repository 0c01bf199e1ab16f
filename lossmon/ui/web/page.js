// The terminal asks its element where to connect. Said here, so that it works through a tunnel with
// another port and behind a proxy with another name.
const scheme = location.protocol === "https:" ? "wss:" : "ws:";
document.getElementById("terminal").dataset.sessionWebsocketUrl = scheme + "//" + location.host + "/ws";
