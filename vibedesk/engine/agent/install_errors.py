"""Why an install failed, as the package manager's last lines tell it."""

from __future__ import annotations

import re
import shlex

from vibedesk.engine.sandboxes.driver import SandboxError

_NO_NETWORK = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b"
    r"|error sending request|dns error|[Cc]ould not connect|tcp connect error"
)
_NO_TRUST = re.compile(
    r"\b(SELF_SIGNED_CERT\w*|UNABLE_TO_\w*CERT\w*|UNABLE_TO_VERIFY\w*|CERT_HAS_EXPIRED|DEPTH_ZERO_\w+"
    r"|ERR_TLS_CERT_ALTNAME_INVALID)\b|invalid peer certificate"
)
_NO_PACKAGE = re.compile(
    r"\b(E404|ETARGET)\b|not found in the package registry|there (is|are) no versions? of\b"
    r"|all versions of \S+ are unavailable"
)
_NO_SPACE = re.compile(r"\bENOSPC\b|No space left on device")
_NETWORK_OFF = re.compile(r"\bThe network is switched off for this app\b|tunnel error")

NO_SUCH_PACKAGE = "no_such_package"


class InstallFailedError(SandboxError):
    """Packages could not be installed; `details['log']` has the last lines."""

    code = "install_failed"
    retryable = True


def install_error(argv: list[str], log: str) -> InstallFailedError:
    command = shlex.join(argv)
    details = {"log": log, "command": command}
    if _NO_SPACE.search(log):
        return InstallFailedError(
            "The packages could not be installed: the disk is full.",
            remedy="Free some space and continue; the files are saved.",
            details=details,
            code="disk_full",
        )
    if _NETWORK_OFF.search(log):
        return InstallFailedError(
            "The packages could not be installed: the network is switched off for this app.",
            remedy="Allow the package registries in the sandbox's settings, then continue.",
            details=details,
            code="network_off",
        )
    if _NO_NETWORK.search(log):
        return InstallFailedError(
            "The packages could not be installed: the package registry cannot be reached.",
            remedy="Check the network (or the proxy in HTTPS_PROXY) and continue; nothing is lost.",
            details=details,
            code="no_network",
        )
    if _NO_TRUST.search(log):
        return InstallFailedError(
            "The packages could not be installed: the package registry's certificate is not trusted.",
            remedy="If your network has a certificate authority of its own, set NODE_EXTRA_CA_CERTS to its "
            "file, start VibeDesk again and continue; nothing is lost.",
            details=details,
            code="untrusted_registry",
        )
    if _NO_PACKAGE.search(log):
        return InstallFailedError(
            f"A package or version does not exist: `{command}` was refused by the registry.",
            remedy="Ask for another package in the chat, then continue.",
            details=details,
            code=NO_SUCH_PACKAGE,
            retryable=False,
        )
    return InstallFailedError(
        f"`{command}` failed.",
        remedy="The log says why. Continue to try again.",
        details=details,
    )
