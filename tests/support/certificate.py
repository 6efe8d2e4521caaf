# SPDX-License-Identifier: Apache-2.0
import subprocess


def self_signed(folder, name="IP:127.0.0.1"):
    """A certificate that is its own authority, and its key: (file, file)."""
    certificate, key = folder / "certificate.pem", folder / "certificate.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=sallyport-test",
                    "-addext", f"subjectAltName={name}"], check=True, capture_output=True)
    return certificate, key
