"""Access claims and refresh rotation."""

from live.accounts.core.claims import ACCESS_SECONDS, Person, access_claims, read_claims
from live.accounts.core.rotation import RefreshToken, Verdict, judge

ANN = Person("ann", "Ann")


def test_claims_vouch_until_they_expire() -> None:
    claims = access_claims(ANN, 1000)
    assert read_claims(claims, 1000) == ANN
    assert read_claims(claims, 1000 + ACCESS_SECONDS - 1) == ANN
    assert read_claims(claims, 1000 + ACCESS_SECONDS) is None


def test_foreign_claims_vouch_for_nobody() -> None:
    good = access_claims(ANN, 1000)
    for change in ({"iss": "other"}, {"sub": 7}, {"sub": None}, {"name": None}, {"exp": "1e9"}):
        assert read_claims(good | change, 1000) is None
    assert read_claims({}, 0) is None


def test_rotation() -> None:
    fresh = RefreshToken("ann", "family", 2000, used=False)
    used = RefreshToken("ann", "family", 2000, used=True)
    assert judge(None, 1000) is Verdict.REFUSE
    assert judge(fresh, 1999) is Verdict.ROTATE
    assert judge(fresh, 2000) is Verdict.REFUSE
    assert judge(used, 1000) is Verdict.REVOKE_FAMILY
    assert judge(used, 3000) is Verdict.REVOKE_FAMILY
