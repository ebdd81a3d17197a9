"""Apache Kafka, one broker that is its own controller, from jars fetched once with Maven."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.servers.certificate import own_certificate
from tests.servers.jars import jars
from tests.servers.place import START_WITHIN, Process, free_ports, listens, program

POM = Path(__file__).with_name("pom.xml")
VERSION = "4.1.1"
CLUSTER = "cGl2b3Rwb2ludC10ZXN0cw"
USER, PASSWORD = "pivotpoint", "proven-to-a-test"
"""Who may connect at the sealed port, by PLAIN and by SCRAM-SHA-512."""
SETTINGS = {
    "process.roles": "broker,controller",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "500",
    "auto.create.topics.enable": "false",
    "ssl.keystore.type": "PEM",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
    "listener.name.sasl_ssl.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}";'
    ),
    "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    # A broker that comes back after kill -9 must not wait for its own old session.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}


class Kafka:
    """A broker that can be started, stopped, killed and frozen; a restart keeps its data."""

    def __init__(self, **settings: str) -> None:
        """Prepare a broker with more or other `settings`, dots written as underscores.

        Raises:
            MissingError: Java or the jars cannot be had.
        """
        self._java = program("java", "Kafka", "default-jre-headless")
        self._classes = f"{jars('Kafka', VERSION, POM)}/*"
        self.folder = Path(tempfile.mkdtemp(prefix="pivotpoint-kafka-"))
        self.port, self.sealed_port, self._controller = free_ports(3)
        self._settings = {name.replace("_", "."): value for name, value in settings.items()}
        self._process = Process(self._command("kafka.Kafka", str(self._file)), self.folder)

    @property
    def bootstrap(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate that the sealed port shows, signed by itself."""
        return self.folder / "certificate.pem"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def start(self) -> "Kafka":
        """Start, with an empty disk the first time; returns when it takes connections."""
        if not self._file.exists():
            self._file.write_text(self._properties())
            key, certificate = own_certificate()
            (self.folder / "keystore.pem").write_bytes(key + certificate)
            self.ca_file.write_bytes(certificate)
            self._format()
        self._process.start(lambda: listens(self.port) and listens(self.sealed_port))
        return self

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()

    def freeze(self) -> None:
        """Let it hold its connections and do nothing."""
        self._process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and remove its data."""
        self._process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _file(self) -> Path:
        return self.folder / "server.properties"

    def _properties(self) -> str:
        ports = {
            "PLAINTEXT": self.port,
            "SASL_SSL": self.sealed_port,
            "CONTROLLER": self._controller,
        }
        settings = SETTINGS | {
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items()),
            "ssl.keystore.location": str(self.folder / "keystore.pem"),
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "log.dirs": str(self.folder / "data"),
        }
        return "".join(f"{name}={value}\n" for name, value in (settings | self._settings).items())

    def _format(self) -> None:
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        command = self._command("kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER)
        command += ["--config", str(self._file), "--add-scram", scram]
        subprocess.run(command, check=True, capture_output=True, timeout=START_WITHIN)

    def _command(self, *arguments: str) -> list[str]:
        return [
            self._java,
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            self._classes,
            *arguments,
        ]
