"""Certificates of every kind that a prober must not trust, or not fall over, and the TLS contexts that show them."""

import base64
import datetime
import random
import ssl
import tempfile
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost", "127.0.0.1")
PEM = serialization.Encoding.PEM
SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
_NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def _days(count):
    return _NOW + datetime.timedelta(days=count)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name):
    import ipaddress

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Issued:
    """A certificate with its key, and the chain above it."""

    def __init__(self, cert, key, chain=()):
        self.cert = cert
        self.key = key
        self.chain = list(chain)


class Trust:
    """In a folder: roots.pem is what the prober trusts; context(NAME) makes a server's context."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.root = self._issue("Root", None, is_ca=True)
        self._count = 0
        (self.folder / "roots.pem").write_bytes(self.root.cert.public_bytes(PEM))

    def _issue(
        self,
        name,
        issuer,
        *,
        is_ca=False,
        first=-1,
        last=30,
        names=NAMES,
        key=None,
        usage=None,
        digest=None,
        extra=(),
        path_length=None,
    ):
        key = key or ec.generate_private_key(ec.SECP256R1())
        signer = issuer.key if issuer else key
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(issuer.cert.subject if issuer else _name(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_days(first))
            .not_valid_after(_days(last))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=path_length), critical=True)
        )
        if not is_ca:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([usage or ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
            if names:
                builder = builder.add_extension(
                    x509.SubjectAlternativeName([_alternative(one) for one in names]), critical=False
                )
        for extension, is_critical in extra:
            builder = builder.add_extension(extension, critical=is_critical)
        if digest is None and not isinstance(signer, ed25519.Ed25519PrivateKey):
            digest = hashes.SHA256()
        chain = [] if issuer is None or issuer is self.root_or_none() else [issuer, *issuer.chain]
        return Issued(builder.sign(signer, digest), key, chain)

    def root_or_none(self):
        return getattr(self, "root", None)

    # --- one method a kind: leaf_KIND

    def leaf_good(self):
        return self._issue("good", self.root)

    def leaf_site(self):
        """Of a site that is asked through a proxy."""
        return self._issue("site", self.root, names=("site.test",))

    def leaf_expired(self):
        return self._issue("expired", self.root, first=-60, last=-1)

    def leaf_not_yet(self):
        return self._issue("not yet", self.root, first=10, last=60)

    def leaf_self_signed(self):
        return self._issue("localhost", None)

    def leaf_other_host(self):
        return self._issue("elsewhere.test", self.root, names=("elsewhere.test", "192.0.2.1"))

    def leaf_name_in_subject_only(self):
        return self._issue("localhost", self.root, names=())

    def leaf_wildcard_for_all(self):
        return self._issue("*", self.root, names=("*", "*.*", "*.test"))

    def leaf_name_with_nul(self):
        return self._issue("nul", self.root, names=("localhost\0.evil.test",))

    def leaf_address_as_name(self):
        return self._issue("127.0.0.1", self.root, names=("elsewhere.test", "x127.0.0.1"))

    def leaf_ten_thousand_names(self):
        return self._issue("many", self.root, names=[f"{number}.localhost.test" for number in range(2500)])

    def leaf_client_only(self):
        return self._issue("client", self.root, usage=ExtendedKeyUsageOID.CLIENT_AUTH)

    def leaf_is_authority(self):
        return self._issue("localhost", None, is_ca=True)

    def leaf_rsa(self):
        return self._issue("rsa", self.root, key=rsa.generate_private_key(65537, 2048))

    def leaf_weak_key(self):
        return self._issue("weak", self.root, key=rsa.generate_private_key(65537, 1024))

    def _old_middle(self, **more):
        return self._issue("RSA", self.root, is_ca=True, key=rsa.generate_private_key(65537, 2048), **more)

    @staticmethod
    def _signed_anew(made, signer, digest, number):
        """As the library signs no more: what names SHA-256 with RSA becomes the name of another digest, as long."""
        data = made.cert.public_bytes(serialization.Encoding.DER).replace(
            SHA256_WITH_RSA, SHA256_WITH_RSA[:-1] + number
        )
        signed = x509.load_der_x509_certificate(data)
        signature = signer.key.sign(signed.tbs_certificate_bytes, padding.PKCS1v15(), digest)
        made.cert = x509.load_der_x509_certificate(data[: -len(signature)] + signature)
        return made

    def leaf_sha1(self):
        middle = self._old_middle()
        return self._signed_anew(self._issue("sha1", middle), middle, hashes.SHA1(), b"\x05")

    def leaf_md5(self):
        middle = self._old_middle()
        return self._signed_anew(self._issue("md5", middle), middle, hashes.MD5(), b"\x04")

    def leaf_sha1_middle(self):
        upper = self._old_middle()
        middle = self._signed_anew(self._issue("Old digest", upper, is_ca=True), upper, hashes.SHA1(), b"\x05")
        return self._issue("leaf", middle)

    def leaf_weak_middle(self):
        weak = rsa.generate_private_key(65537, 1024)
        return self._issue("leaf", self._issue("Weak middle", self.root, is_ca=True, key=weak))

    def leaf_ed25519(self):
        return self._issue("ed25519", self.root, key=ed25519.Ed25519PrivateKey.generate())

    def leaf_unknown_root(self):
        other = self._issue("Other root", None, is_ca=True)
        return self._issue("leaf", other)

    def leaf_root_of_same_name(self):
        other = self._issue("Root", None, is_ca=True)
        made = self._issue("leaf", other)
        made.chain = []
        return made

    def leaf_without_middle(self):
        middle = self._issue("Middle", self.root, is_ca=True)
        made = self._issue("leaf", middle)
        made.chain = []
        return made

    def leaf_middle_expired(self):
        return self._issue("leaf", self._issue("Old middle", self.root, is_ca=True, first=-60, last=-1))

    def leaf_middle_is_no_authority(self):
        return self._issue("leaf", self._issue("No authority", self.root))

    def leaf_path_too_long(self):
        short = self._issue("Short path", self.root, is_ca=True, path_length=0)
        return self._issue("leaf", self._issue("Below", short, is_ca=True))

    def leaf_name_not_permitted(self):
        bound = x509.NameConstraints([x509.DNSName("only.test")], None)
        return self._issue(
            "leaf", self._issue("Bound", self.root, is_ca=True, extra=((bound, True),)), names=("localhost",)
        )

    def leaf_unknown_critical(self):
        strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
        return self._issue("strange", self.root, extra=((strange, True),))

    def leaf_revoked_looking(self):
        """Names lists of revoked certificates and a responder that nobody answers at: we ask neither."""
        where = x509.UniformResourceIdentifier("http://127.0.0.1:1/revoked")
        lists = x509.CRLDistributionPoints([x509.DistributionPoint([where], None, None, None)])
        asked = x509.AuthorityInformationAccess(
            [x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, where)]
        )
        return self._issue("revoked", self.root, extra=((lists, False), (asked, False)))

    def leaf_must_staple(self):
        return self._issue("staple", self.root, extra=((x509.TLSFeature([x509.TLSFeatureType.status_request]), False),))

    def leaf_deep_chain(self):
        issuer = self.root
        for number in range(20):
            issuer = self._issue(f"Level {number}", issuer, is_ca=True)
        return self._issue("leaf", issuer)

    def leaf_too_deep_chain(self):
        issuer = self.root
        for number in range(120):
            issuer = self._issue(f"Level {number}", issuer, is_ca=True)
        return self._issue("leaf", issuer)

    def leaf_huge_chain(self):
        """Certificates that belong to nothing, 90 KiB of them."""
        made = self._issue("leaf", self.root)
        made.chain = [
            self._issue(
                f"Padding {number}",
                None,
                is_ca=True,
                extra=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(8000)), False),),
            )
            for number in range(11)
        ]
        return made

    def leaf_huge(self):
        """One certificate of 60 KiB."""
        return self._issue(
            "huge",
            self.root,
            extra=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(60_000)), False),),
        )

    def leaf_beyond_bound(self):
        """More than OpenSSL takes."""
        made = self.leaf_huge_chain()
        made.chain *= 12
        return made

    def leaf_names_itself_issuer(self):
        made = self._issue("leaf", self.root)
        made.chain = [made] * 20
        return made

    def leaf_control_characters(self):
        other = self._issue("Evil\x1b[31m\r\nroot\x00", None, is_ca=True)
        return self._issue("leaf", other)

    def leaf_ends_in_9999(self):
        return self._issue("long", self.root, last=365 * 7000)

    # --- contexts

    def files(self, leaf):
        """The paths of its chain and its key."""
        self._count += 1
        cert = self.folder / f"{self._count}.crt"
        key = self.folder / f"{self._count}.key"
        cert.write_bytes(b"".join(one.cert.public_bytes(PEM) for one in (leaf, *leaf.chain)))
        key.write_bytes(leaf.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return cert, key

    @cached_property
    def good_files(self):
        return self.files(self.leaf_good())

    def context(self, name):
        """KIND of certificate, or KIND/OPTION; see apply()."""
        kind, _, option = name.partition("/")
        files = self.good_files if kind == "good" else self.files(getattr(self, f"leaf_{kind}")())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(*files)
        self.apply(context, option)
        return context

    @staticmethod
    def apply(context, option):
        if option in ("h2", "h2_only"):
            context.set_alpn_protocols(["h2"])
        elif option == "h2_tls1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["h2"])
        elif option == "alpn_unknown":
            context.set_alpn_protocols(["spdy/9"])
        elif option == "tls1.0":
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
        elif option == "tls1.1":
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        elif option == "tls1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        elif option == "null":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("eNULL:@SECLEVEL=0")
        elif option == "cbc_sha":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        elif option == "anonymous":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("aNULL:@SECLEVEL=0")
        elif option == "finite_field":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
            with tempfile.NamedTemporaryFile() as file:
                file.write(finite_field(8192))
                file.flush()
                context.load_dh_params(file.name)
        elif option.startswith("client_wanted"):
            if option == "client_wanted_tls1.2":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=PEM_OF_NOBODY)
        elif option:
            raise AssertionError(option)


def finite_field(bits):
    """PEM of the parameters of a Diffie-Hellman exchange: any odd number is prime enough."""

    def der(tag, content):
        return bytes([tag, 0x82]) + len(content).to_bytes(2, "big") + content

    number = b"\0" + (1 << bits - 1 | random.getrandbits(bits - 1) | 1).to_bytes(bits // 8, "big")
    text = base64.encodebytes(der(0x30, der(2, number) + der(2, b"\2")))
    return b"-----BEGIN DH PARAMETERS-----\n" + text + b"-----END DH PARAMETERS-----\n"


def _nobody():
    key = ec.generate_private_key(ec.SECP256R1())
    cert = (
        x509.CertificateBuilder()
        .subject_name(_name("Nobody"))
        .issuer_name(_name("Nobody"))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_days(-1))
        .not_valid_after(_days(30))
        .sign(key, hashes.SHA256())
    )
    return cert.public_bytes(PEM).decode()


PEM_OF_NOBODY = _nobody()
