"""The channel of mail: a notice as plain text, handed to the clinic's own server over SMTP."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from services.alerts.channels import TIMEOUT_S, FailedError, NoUseError, Outgoing, in_words

PERMANENT = 500
"""SMTP's replies from here on say that the same again would be refused again (RFC 5321, 4.2.1)."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The clinic's mail server."""

    host: str
    port: int
    security: str
    """`starttls`, `tls` or `none`."""
    sender: str
    """What stands in From."""
    user: str
    password: str
    ca_file: str
    """Certificates that sign the server's; empty: those of the system."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Hands notices to the server."""

    settings: MailSettings

    def send(self, notice: Outgoing, address: str) -> None:
        """Hand one over.

        Raises:
            NoUseError: the server refuses this address or this message for good.
            FailedError: the server is away, slow, or asks to come again.
        """
        try:
            with self._connected() as server:
                server.send_message(self._written(notice, address))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _of_code(max(codes, default=0)) from error
        except smtplib.SMTPAuthenticationError as error:  # ours to put right: nobody's address
            raise FailedError(f"SMTP {error.smtp_code}") from error
        except smtplib.SMTPResponseException as error:
            raise _of_code(error.smtp_code) from error
        except (OSError, smtplib.SMTPException) as error:
            raise FailedError(type(error).__name__) from error

    def _connected(self) -> smtplib.SMTP:
        settings = self.settings
        tls = ssl.create_default_context(cafile=settings.ca_file or None)
        server: smtplib.SMTP
        if settings.security == "tls":
            server = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT_S, context=tls)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_S)
        try:
            if settings.security == "starttls":
                server.starttls(context=tls)
            if settings.user:
                server.login(settings.user, settings.password)
        except BaseException:
            server.close()
            raise
        return server

    def _written(self, notice: Outgoing, address: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = "Pivot Point: " + in_words(notice).rstrip(".")
        message["From"], message["To"] = self.settings.sender, address
        message["Date"] = format_datetime(notice.at)
        domain = self.settings.sender.rpartition("@")[2].strip("> ")
        message["Message-ID"] = f"<{notice.id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answer is wanted
        message.set_content(
            f"{in_words(notice)}\n\n{notice.url}\n\n"
            "This mail never says more than how many. What it is about stands on the page alone.\n"
        )
        return message


def _of_code(code: int) -> FailedError:
    kind = NoUseError if code >= PERMANENT else FailedError
    return kind(f"SMTP {code}")
