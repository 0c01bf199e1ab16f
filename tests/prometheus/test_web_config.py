from __future__ import annotations

import ssl
import subprocess
from base64 import b64encode
from pathlib import Path

import bcrypt
import pytest
import trustme

from lossmon.errors import ConfigError
from lossmon.prometheus.web_config import BasicAuth, read_web_config
from tests.services.prometheus import promtool

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()


@pytest.fixture
def certificate(tmp_path: Path) -> trustme.CA:
    """Puts cert.pem, key.pem and ca.pem beside the file."""
    authority = trustme.CA()
    made = authority.issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "web.yml"
    path.write_text(text)
    return path


def header(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"


def test_an_empty_file_lets_everybody_in(tmp_path: Path) -> None:
    config = read_web_config(written(tmp_path, ""))
    assert config.tls is None and BasicAuth(config.users).allows(None)


def test_users_are_let_in_by_their_passwords(tmp_path: Path) -> None:
    config = read_web_config(written(tmp_path, f"basic_auth_users: {{ada: '{HASH}'}}"))
    auth = BasicAuth(config.users)
    assert auth.allows(header("ada", "secret")) and auth.allows(header("ada", "secret"))
    for bad in (
        None,
        "",
        "Basic",
        "Basic \xff",
        "Basic !!!!",
        "Bearer x",
        header("ada", "wrong"),
        header("eve", "secret"),
        header("ada", "x" * 500),
        header("ada", "a\0b"),
    ):
        assert not auth.allows(bad), bad


def test_certificates_are_found_beside_the_file(tmp_path: Path, certificate: trustme.CA) -> None:
    tls = read_web_config(written(tmp_path, TLS)).tls
    assert tls is not None and tls.minimum_version is ssl.TLSVersion.TLSv1_2
    assert tls.verify_mode is ssl.CERT_NONE


def test_certificates_of_clients_can_be_asked_for(tmp_path: Path, certificate: trustme.CA) -> None:
    more = "client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert"
    tls = read_web_config(written(tmp_path, TLS.replace("}", f", {more}}}"))).tls
    assert tls is not None and tls.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[1, 2]", "is not a mapping"),
        ("{", "is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("http_server_config: {http2: true}", "'http_server_config' is not understood"),
        ("basic_auth_users: {ada: secret}", "ada: is not a bcrypt hash"),
        ("tls_server_config: {cert_file: cert.pem}", "key_file is missing"),
        ("tls_server_config: {cert_file: a, key_file: b}", "No such file"),
        (TLS.replace("}", ", cipher_suites: []}"), "'cipher_suites' is not understood"),
        (TLS.replace("}", ", min_version: SSL3}"), "min_version is 'SSL3'; use TLS12 or TLS13"),
        (
            TLS.replace("}", ", client_auth_type: RequireAndVerifyClientCert}"),
            "client_auth_type needs client_ca_file",
        ),
    ],
)
def test_what_is_wrong_is_told(
    tmp_path: Path, certificate: trustme.CA, text: str, wrong: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        read_web_config(path)
    assert str(path) in str(raised.value) and wrong in str(raised.value)


def test_the_file_is_one_that_other_exporters_take(tmp_path: Path, certificate: trustme.CA) -> None:
    path = written(tmp_path, f"{TLS}basic_auth_users: {{ada: '{HASH}'}}\n")
    read_web_config(path)
    done = subprocess.run(promtool("check", "web-config", str(path)), capture_output=True)
    assert done.returncode == 0, done.stderr
