"""Keys for each purpose from the one secret that an operator keeps (密钥): who learns one of them learns no other."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
PAYLOADS, FIELDS, AUDIT = "payloads", "fields", "audit"


def derived(keys: Mapping[str, bytes], purpose: str) -> dict[str, bytes]:
    """Give 32 bytes for a purpose from each seal key, under the same ids and in the same order."""
    info = f"shangliang {purpose}".encode()
    return {
        name: HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key) for name, key in keys.items()
    }
