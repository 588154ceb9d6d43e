"""What is required: one row for each requirement, and for each row one test of the same name.

A row says in our words what must hold, and for WHIP and for WHEP how strongly (RFC 2119) and in
which section it stands. Bare section numbers are those of RFC 9725 and of
draft-ietf-wish-whep-03. A protocol without an entry is not tried for that row.
"""

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["MUST", "SHOULD", "MAY"]
Protocol = Literal["whip", "whep"]

DOCUMENTS: Final[dict[Protocol, str]] = {"whip": "RFC 9725", "whep": "draft-ietf-wish-whep-03"}


@dataclass(frozen=True, slots=True)
class Rule:
    """How strongly a protocol asks, and where."""

    level: Level
    section: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row; `name` is its test's name without `test_`."""

    name: str
    text: str
    rules: dict[Protocol, Rule]


def _row(level: Level, whip: str, whep: str, name: str, text: str) -> Requirement:
    given: dict[Protocol, str] = {"whip": whip, "whep": whep}
    rules = {
        protocol: Rule(level, section if " " in section else f"{DOCUMENTS[protocol]} §{section}")
        for protocol, section in given.items()
        if section
    }
    return Requirement(name, text, rules)


def _must(whip: str, whep: str, name: str, text: str) -> Requirement:
    return _row("MUST", whip, whep, name, text)


def _should(whip: str, whep: str, name: str, text: str) -> Requirement:
    return _row("SHOULD", whip, whep, name, text)


def _may(whip: str, whep: str, name: str, text: str) -> Requirement:
    return _row("MAY", whip, whep, name, text)


WHEP_NOW: Final = "draft-ietf-wish-whep, editor's copy after -03, §4.1"
HEAD: Final = "RFC 9110 §9.3.2"
MEDIA_TYPE: Final = "RFC 9110 §8.3.1"
ALLOW: Final = "RFC 9110 §15.5.6"
CHALLENGE: Final = "RFC 9110 §15.5.2"
SCHEME: Final = "RFC 9110 §11.1"
MIRROR: Final = "RFC 3264 §6"
BUNDLE_ONLY: Final = "RFC 9143 §7.3.1"
ICE_CREDENTIALS: Final = "RFC 8839 §5.4"
CONTINUITY: Final = "RFC 8445 §9"
ICE_LITE: Final = "RFC 8839 §5.3"
ICE_OPTION: Final = "RFC 8445 §10"
TRICKLE_OPTION: Final = "RFC 8838 §3"
END_OF_CANDIDATES: Final = "RFC 8840 §8.2"
ANSWER_SETUP: Final = "RFC 8842 §5.3"
INTEGRITY: Final = "RFC 8489 §9.1.3"
LINK: Final = "RFC 8288 §3"
GONE: Final = "RFC 9110 §15.5.5"
FETCH: Final = "WHATWG Fetch (CORS)"

SETUP: Final = (
    _must("4.2", "4.2.1", "an_offer_creates_a_session", "201 Created answers a POSTed offer."),
    _must("4.2", "4.2.1", "the_answer_is_sdp", "The 201 is application/sdp, an SDP answer."),
    _must("4.2", "4.2.1", "the_location_is_the_session", "Its Location leads to the session."),
    _must(
        "4.2", "4.2.4", "another_media_type_is_refused", "Another type than application/sdp: 4xx."
    ),
    _must("4.2", "4.2.4", "malformed_sdp_is_refused", "What is not SDP gets 4xx."),
    _must(MEDIA_TYPE, MEDIA_TYPE, "media_types_have_no_case", "Application/SDP is the same type."),
    _must("4.2", "4.2.5", "an_offer_in_both_directions_is_taken", "A sendrecv offer is taken."),
    _should("4.2", "4.2.5", "an_inactive_offer_is_refused", "An inactive offer gets 4xx."),
    _should(
        "4.2", "4.2.5", "an_offer_the_wrong_way_is_refused", "So does one that goes the wrong way."
    ),
    _must(
        "",
        "4.2",
        "nobody_on_air_is_a_conflict",
        "No publisher: a session, or 409 with Retry-After.",
    ),
)

ANSWER: Final = (
    _must("4.2", "4.2.5", "the_answer_has_one_direction", "recvonly for WHIP, sendonly for WHEP."),
    _must(
        MIRROR, MIRROR, "the_answer_mirrors_the_offer", "A section for each, same order, kind, mid."
    ),
    _must("4.4.1", "4.5.1", "all_media_are_bundled", "One BUNDLE group holds every section."),
    _must("4.4.1", "4.5.1", "rtcp_is_multiplexed", "Every section has a=rtcp-mux."),
    _must("4.4.1", "4.5.1", "rtcp_mux_only_is_said", "Every section has a=rtcp-mux-only."),
    _must(
        BUNDLE_ONLY,
        BUNDLE_ONLY,
        "a_bundle_only_section_is_taken",
        "Port 0 with a=bundle-only counts.",
    ),
    _must("", "4.5.2", "all_media_are_one_stream", "All sections have the same msid stream."),
    _must("4.4.2", "", "two_tracks_of_a_kind_are_whole_or_refused", "Taken whole, or 422 or 400."),
    _must("4.4.2", "", "two_streams_are_whole_or_refused", "Taken whole, or 422 or 400."),
    _should(
        "4.4.3", "", "nothing_is_answered_in_part", "A bad section refuses the offer: 422 or 400."
    ),
    _must(
        ANSWER_SETUP,
        ANSWER_SETUP,
        "a_dtls_role_is_chosen",
        "actpass is answered active or passive.",
    ),
    _should(
        "4.4.4",
        ANSWER_SETUP,
        "an_active_offer_is_passive_or_refused",
        "setup:active: passive, or 422, 400.",
    ),
    _must(
        "4.8", "", "simulcast_is_answered_in_kind", "An accepted a=simulcast:send is answered recv."
    ),
    _must(
        ICE_CREDENTIALS,
        ICE_CREDENTIALS,
        "ice_credentials_are_strong",
        "ufrag and pwd as long as ICE wants.",
    ),
    _must(ICE_LITE, ICE_LITE, "ice_lite_is_said", "Who never sends checks says a=ice-lite."),
    _must(ICE_OPTION, ICE_OPTION, "ice2_is_said", "a=ice-options has ice2."),
    _should(
        TRICKLE_OPTION, TRICKLE_OPTION, "trickle_is_said", "Who takes candidates says trickle."
    ),
    _must("4.3.2", "4.4.2", "all_candidates_are_in_the_answer", "No candidate comes later."),
    _should(
        END_OF_CANDIDATES,
        END_OF_CANDIDATES,
        "the_end_of_candidates_is_said",
        "a=end-of-candidates is there.",
    ),
    _must("4.2", "4.2", "offers_with_candidates_are_taken", "Candidates in the offer do no harm."),
)

HTTP: Final = (
    _must("4.1", "4.1", "get_on_the_endpoint_is_empty", "GET on the endpoint: 2xx, no content."),
    _must("4.1", "4.1", "get_on_the_session_is_empty", "GET on a session: 2xx, no content."),
    _should(HEAD, "4.1", "head_is_get_without_body", "HEAD has the status and fields of GET."),
    _should("", WHEP_NOW, "head_names_the_media_type", "HEAD: 200, Content-Type application/sdp."),
    _must("4.2", "4.3", "preflight_is_answered", "A CORS preflight on the endpoint allows POST."),
    _should(
        FETCH,
        FETCH,
        "preflight_of_a_session_is_answered",
        "On a session it allows PATCH and DELETE.",
    ),
    _should(
        "4.2", "4.3", "options_name_the_media_type", "OPTIONS: Accept-Post has application/sdp."
    ),
    _should(
        FETCH, FETCH, "answers_can_be_read_across_origins", "Location, ETag and Link are exposed."
    ),
    _must(ALLOW, ALLOW, "a_405_names_what_is_allowed", "405 carries Allow."),
    _may("4.1", "4.1", "refusals_are_problem_details", "Errors are application/problem+json."),
    _must("4.5", "4.6", "post_is_never_redirected_as_get", "No 301 and no 302."),
    _may("4.5", "4.6", "load_is_balanced_by_307", "Another server is told by 307."),
    _may("4.5", "4.6", "an_overload_says_when_to_retry", "A 503 carries Retry-After."),
    _must("5", "5", "https_is_used", "The endpoint is reached over HTTPS."),
    _should("5", "5", "session_urls_cannot_be_guessed", "A session's URL holds enough chance."),
)

ACCESS: Final = (
    _must(
        "4.7.1",
        "4.8.1",
        "a_missing_token_is_refused",
        "401 without the token, where one is needed.",
    ),
    _must("4.7.1", "4.8.1", "a_wrong_token_is_refused", "401 or 403 with another one."),
    _must(CHALLENGE, CHALLENGE, "a_401_is_a_challenge", "401 carries WWW-Authenticate."),
    _must(SCHEME, SCHEME, "the_scheme_has_no_case", "bearer is Bearer."),
    _must(
        "4.7.1", "4.8.1", "the_token_is_taken_on_the_session", "The session's URL takes the token."
    ),
    _must("4.7.1", "4.8.1", "preflight_needs_no_token", "OPTIONS without token is answered."),
)

PATCH: Final = (
    _must("4.3.1", "4.4.1", "patch_of_another_type_is_refused", "Not trickle-ice-sdpfrag: 4xx."),
    _must("4.3.1", "4.4.1", "a_malformed_fragment_is_refused", "A malformed fragment: 4xx."),
    _must(
        "4.3.1",
        "4.4.1",
        "half_a_patch_is_unprocessable",
        "Trickle or restart alone: 422 for the other.",
    ),
    _must(
        "4.3.1", "4.4.1", "the_session_has_an_entity_tag", "The 201 carries a strong quoted ETag."
    ),
    _must("4.3.1", "4.4.1", "entity_tags_are_unique", "Two sessions have two tags."),
    _must("4.3.2", "4.4.2", "trickle_has_no_content", "204 without body."),
    _must("4.3.2", "4.4.2", "trickle_gives_no_entity_tag", "The 204 has no ETag."),
    _must("4.3.1", "4.4.1", "a_missing_entity_tag_is_428", "PATCH without If-Match: 428."),
    _must("4.3.1", "4.4.1", "a_stale_entity_tag_is_412", "PATCH with another tag: 412."),
    _must(
        "4.3.2", "4.4.2", "unknown_candidates_are_passed_over", "Unknown transports, names: 204."
    ),
    _must(
        "4.3.2", "4.4.2", "trickled_sessions_connect", "Media flow when candidates came by PATCH."
    ),
)

RESTART: Final = (
    _must("4.3.3", "4.4.3", "a_restart_is_answered_with_200", "New ufrag and pwd: 200, sdpfrag."),
    _must("4.3.3", "4.4.3", "a_restart_gives_new_credentials", "ufrag and pwd are other ones."),
    _must("4.3.3", "4.4.3", "a_restart_gives_a_new_entity_tag", "So is the ETag."),
    _may("4.3.3", "4.4.3", "a_restart_gives_candidates", "The fragment has candidates."),
    _must(
        "4.3.3",
        "4.4.3",
        "a_restart_keeps_the_ice_attributes",
        "ice-lite, -options, -pacing as answered.",
    ),
    _must("4.3.3", "4.4.3", "the_tag_before_a_restart_is_412", "The tag before is stale."),
    _should("4.3.3", "4.4.3", "a_quoted_star_is_a_star", 'If-Match: "*", as in the example, is *.'),
    _must("4.3.3", "4.4.3", "a_refused_restart_changes_nothing", "The session goes on as it was."),
    _must("4.3.3", "4.4.3", "media_go_on_after_a_restart", "From another address too."),
    _should(
        *(CONTINUITY, CONTINUITY, "media_go_on_during_a_restart"),
        "Until the new pair is there, the old one serves.",
    ),
    _must(
        "4.3.3", "4.4.3", "replaced_credentials_are_dropped", "Checks under the old ones: silence."
    ),
)

ENDING: Final = (
    _must("4.2", "4.3", "delete_is_ok", "DELETE on the session: 200."),
    _must(GONE, GONE, "a_deleted_session_is_gone", "Then PATCH and DELETE: 404 or 410."),
    _must("4.3.1", "4.4.1", "delete_ignores_entity_tags", "If-Match on DELETE does not matter."),
    _must("4.2", "4.3", "delete_ends_dtls", "The peer hears a DTLS close_notify."),
    _must("4.2", "4.3", "delete_revokes_consent", "No check is answered, nothing is sent."),
    _must("4.2", "4.2", "dtls_close_ends_the_session", "The peer's close_notify ends it."),
    _must("4.2", "4.2", "silence_ends_the_session", "So does the end of consent."),
    _must(INTEGRITY, INTEGRITY, "forged_checks_are_not_answered", "A wrong password is no check."),
    _must("4.2", "4.2", "media_flow", "What is published arrives at a player."),
)

SERVERS: Final = (
    _may("4.6", "4.7", "ice_servers_are_told", "The 201 has Link rel=ice-server, well formed."),
    _may("4.6", "4.7", "ice_servers_are_told_by_options", "OPTIONS that is no preflight has them."),
    _should("4.6", "4.7", "preflight_tells_no_ice_servers", "A preflight has none."),
    _must(LINK, LINK, "links_are_well_formed", "Every Link field is as its syntax has it."),
    _must("4.9", "4.9", "extensions_are_named_by_urn", "Other links have the URN of an extension."),
)

COUNTER_OFFER: Final = (
    _must(
        "", "4.2.3", "a_406_is_a_counter_offer", "No 406, whatever Accept says, without an offer."
    ),
    _may("", "4.2.2", "a_counter_offer_is_whole", "406 with an SDP offer and a Location."),
    _must("", "4.2.2", "an_answered_counter_offer_has_no_content", "PATCH with the answer: 204."),
    _must("", "4.2.2", "a_malformed_answer_is_refused", "PATCH with nonsense: 4xx."),
)

LIMITS: Final = (
    _should("5", "5", "posts_are_limited", "Many POSTs get 429 or 503."),
    _should("5", "5", "patches_are_limited", "So do many PATCHes."),
    _should("5", "5", "deletes_are_limited", "So do many DELETEs."),
)

REQUIREMENTS: Final = {
    row.name: row
    for row in (
        *(*SETUP, *ANSWER, *HTTP, *ACCESS, *PATCH, *RESTART),
        *(*ENDING, *SERVERS, *COUNTER_OFFER, *LIMITS),
    )
}
