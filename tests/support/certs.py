"""Certificates for the tests: an authority, and what it signs. EC keys, because they are made in a millisecond."""
import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Certificate:
    """Paths of PEM files: chain (the certificate first), key (PKCS#8), and both in one file as Kafka's PEM store."""
    cert_file: Path
    key_file: Path
    both_file: Path
    not_after: datetime.datetime


def _now():
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Websentry tests"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


class Authority:
    """A certificate authority in a folder. `parent` makes it an intermediate one."""

    def __init__(self, folder, name="Test authority", parent=None):
        self.folder = Path(folder)
        self.name = name
        self.parent = parent
        self._count = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = _now()
        builder = (x509.CertificateBuilder().subject_name(_name(name))
                   .issuer_name(_name(parent.name if parent else name)).public_key(self._key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1000))
                   .not_valid_after(now + datetime.timedelta(days=3650))
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True,
                                                content_commitment=False, key_encipherment=False,
                                                data_encipherment=False, key_agreement=False, encipher_only=False,
                                                decipher_only=False), critical=True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False))
        self._cert = builder.sign(parent._key if parent else self._key, hashes.SHA256())
        self.ca_file = self.folder / f"{name.lower().replace(' ', '-')}.pem"
        self.ca_file.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))

    def _chain(self):
        """The intermediates from this authority up, the root left out."""
        if self.parent is None:
            return b""
        return self._cert.public_bytes(serialization.Encoding.PEM) + self.parent._chain()

    def issue(self, common_name="localhost", names=("localhost", "127.0.0.1", "::1"), *, days=365, valid_from_days=-1,
              seconds=None, with_chain=True):
        """A certificate for server and client use. days may be negative (expired), valid_from_days positive (not yet
        valid); seconds sets the end exactly."""
        self._count += 1
        key = ec.generate_private_key(ec.SECP256R1())
        now = _now()
        end = now + (datetime.timedelta(days=days) if seconds is None else datetime.timedelta(seconds=seconds))
        start = min(now + datetime.timedelta(days=valid_from_days), end - datetime.timedelta(days=1)) \
            if valid_from_days <= 0 else now + datetime.timedelta(days=valid_from_days)
        builder = (x509.CertificateBuilder().subject_name(_name(common_name)).issuer_name(_name(self.name))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                                         ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                                  critical=False))
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]),
                                            critical=False)
        cert = builder.sign(self._key, hashes.SHA256())
        pem = cert.public_bytes(serialization.Encoding.PEM) + (self._chain() if with_chain else b"")
        key_pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())
        stem = f"{self.ca_file.stem}-{self._count}-{''.join(c if c.isalnum() else '-' for c in common_name)}"
        made = Certificate(self.folder / f"{stem}.crt", self.folder / f"{stem}.key", self.folder / f"{stem}.both", end)
        made.cert_file.write_bytes(pem)
        made.key_file.write_bytes(key_pem)
        made.both_file.write_bytes(key_pem + pem)
        return made
