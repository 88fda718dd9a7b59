"""The brokers' certificate for TLS on one machine: an authority of this data folder signs it and is forgotten.

Its key exists in memory only, while the certificate is made: nobody can make another one that our clients would trust.
"""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.files import write_private
from deploy.local.ports import LOOPBACK

LIFE = dt.timedelta(days=397)
MARGIN = dt.timedelta(days=30)  # before its end, at which a start makes a new one
AUTHORITY, BROKER = "ca.pem", "broker.pem"


def ensure_certificate(folder: Path, now: dt.datetime) -> Path:
    """Make authority and certificate in `folder` unless they are there and last; return the authority's path (PEM).

    `broker.pem` (0600) holds the PKCS 8 key, the certificate and the authority, as Kafka's PEM key store wants them.
    """
    authority, broker = folder / AUTHORITY, folder / BROKER
    if not _lasts(authority, now) or not _lasts(broker, now):
        _make(authority, broker, now)
    return authority


def _lasts(path: Path, now: dt.datetime) -> bool:
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return False
    return all(certificate.not_valid_after_utc > now + MARGIN for certificate in certificates)


def _make(authority: Path, broker: Path, now: dt.datetime) -> None:
    """The broker's file comes last: a half made pair has no certificate that lasts, and is made again."""
    broker.unlink(missing_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("POEC local authority"), _name("POEC local broker")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    hosts = [x509.IPAddress(ipaddress.ip_address(LOOPBACK)), x509.DNSName("localhost")]
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]  # brokers speak to each other
    certificate = (
        _builder(name, ca_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both), critical=False)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(authority, ca.public_bytes(pem).decode())
    write_private(
        broker, "".join(part.decode() for part in (secret, certificate.public_bytes(pem), ca.public_bytes(pem)))
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFE)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
