"""Certificates for the home network."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from live.server.tls import LEAF_DAYS, Certificate, keep_certificate, local_names

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NAMES = ["localhost", "127.0.0.1", "fe80::1"]


def leaf(files: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def test_the_authority_signs_for_every_name(tmp_path: Path) -> None:
    files = keep_certificate(tmp_path / "tls", NAMES, NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    leaf(files).verify_directly_issued_by(authority)
    named = leaf(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in named} == set(NAMES)
    for secret in ("ca.key", "server.key"):
        assert (tmp_path / "tls" / secret).stat().st_mode & 0o777 == 0o600


def test_the_certificate_is_kept_until_it_no_longer_fits(tmp_path: Path) -> None:
    files = keep_certificate(tmp_path, NAMES, NOW)
    first, authority = leaf(files), files.authority.read_bytes()
    keep_certificate(tmp_path, NAMES[:1], NOW + timedelta(days=LEAF_DAYS - 31))
    assert leaf(files) == first
    keep_certificate(tmp_path, [*NAMES, "10.0.0.9"], NOW)
    second = leaf(files)
    assert second != first
    keep_certificate(tmp_path, NAMES, NOW + timedelta(days=LEAF_DAYS - 29))
    assert leaf(files) != second
    assert files.authority.read_bytes() == authority


def test_a_new_authority_signs_anew(tmp_path: Path) -> None:
    files = keep_certificate(tmp_path, NAMES, NOW)
    (tmp_path / "ca.key").unlink()
    keep_certificate(tmp_path, NAMES, NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    leaf(files).verify_directly_issued_by(authority)
    assert {"localhost", "127.0.0.1"} <= set(local_names())
