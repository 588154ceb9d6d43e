"""What signaling refuses, and why. One tree; the server turns each leaf into a status."""

from typing import ClassVar


class SignalingError(Exception):
    """A request signaling cannot grant; the text is for the person who sent it."""

    code: ClassVar[str] = "signaling"


class MalformedOffer(SignalingError):
    """The body is not a session description (RFC 8866)."""

    code = "malformed_sdp"


class MalformedFragment(SignalingError):
    """The body is not an SDP fragment (RFC 8840)."""

    code = "malformed_sdp"


class PreconditionMissing(SignalingError):
    """A change of the ICE session must say which one it means (If-Match)."""

    code = "precondition_required"


class PreconditionFailed(SignalingError):
    """The ICE session that the request means is not the session's any more."""

    code = "precondition_failed"


class UnacceptableOffer(SignalingError):
    """A sound description that asks for what this server does not do."""

    code = "unacceptable_offer"


class NotSdp(SignalingError):
    """The body is not labelled as what it must be."""

    code = "unsupported_media_type"


class OfferTooLong(SignalingError):
    """The body is longer than any honest offer."""

    code = "too_long"


class PublishKeyRefused(SignalingError):
    """The Bearer publish key is missing, wrong or revoked."""

    code = "publish_key_refused"


class UnknownShow(SignalingError):
    """There is no such show."""

    code = "not_found"


class UnknownSession(SignalingError):
    """There is no such session, or it is over."""

    code = "not_found"


class ShowOver(SignalingError):
    """The show has ended; nobody can publish to it any more."""

    code = "show_ended"


class NotOnAir(SignalingError):
    """Nobody publishes this show at the moment; try again soon."""

    code = "not_on_air"


class TakenOver(SignalingError):
    """A newer publisher has the show; `facts` tell when the older one may take it back."""

    code = "taken_over"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.facts = {"retry_after_s": retry_after_s}


class TooManyRequests(SignalingError):
    """This client has asked too often; `facts` tell when it may ask again."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.facts = {"retry_after_s": retry_after_s}


class Overloaded(SignalingError):
    """Too many sessions wait for their first connection; try again soon."""

    code = "overloaded"
