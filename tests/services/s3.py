"""An S3 server on the loopback interface."""

from __future__ import annotations

import sys
import urllib.request
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.services.program import Program, free_port


class S3Server:
    """moto's server in a process of its own.

    Attributes:
        url: Where it answers.
        environment: Variables with which clients find it.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.program = Program(command, directory / "s3.log")
        self.program.wait_for(self._answers, "the S3 server")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except OSError:
            return False

    def write(self, path: str, data: bytes) -> None:
        """Make or replace an object, and its bucket where there is none."""
        bucket = path.partition("/")[0]
        if not self._files.exists(bucket):
            self._files.mkdir(bucket)
        self._files.pipe_file(path, data)

    @cached_property
    def _files(self) -> Any:
        from s3fs import S3FileSystem

        options = {"endpoint_url": self.url, "key": "test", "secret": "test"}
        return S3FileSystem(**options, use_listings_cache=False, skip_instance_cache=True)

    def stop(self) -> None:
        """End it."""
        self.program.stop()
