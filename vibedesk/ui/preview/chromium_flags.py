"""How Chromium is started for the preview."""

from __future__ import annotations

VARIABLE = "QTWEBENGINE_CHROMIUM_FLAGS"


def chromium_flags(inherited: str, gateway_port: int, *, as_root: bool) -> str:
    """Return the flags, those the person set kept.

    Every connection goes through the gateway, loopback included; names are never resolved by Chromium
    itself; media connections may not go round the proxy. Chromium's own sandbox cannot be had by root.
    """
    flags = [
        *([inherited] if inherited else []),
        f"--proxy-server=http://127.0.0.1:{gateway_port}",
        "--proxy-bypass-list=<-loopback>",
        '--host-resolver-rules="MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"',
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--disable-quic",
    ]
    if as_root and "--no-sandbox" not in inherited:
        flags.append("--no-sandbox")
    return " ".join(flags)
