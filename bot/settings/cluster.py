"""The cluster, or docker-compose: what runs where, and what may be restarted."""

from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from bot.settings.kinds import Keystore, Names, Seconds, pair


class ClusterSettings(BaseModel):
    """The cluster, or docker-compose: what runs where, and what may be restarted."""

    kubeconfig: Path | None = Field(default=None, description="Outside a cluster: which kubeconfig to use.")
    kube_context: str = Field(default="", description="Which context of the kubeconfig; its current one when unset.")
    namespace: str = Field(default="musd", description="The protocol's Kubernetes namespace.")
    kube_write_context: str = Field(
        default="", description="The kubeconfig's context that may change deployments; none: the bot only reads."
    )
    kube_write_token_file: Keystore = Field(
        default=None, description="Inside a cluster: the token of the service account that may change deployments."
    )
    docker_url: str = Field(
        default="unix:///var/run/docker.sock", description="With docker-compose: where the Docker API is."
    )
    docker_read_url: str = Field(
        default="",
        description="Where probes read it, such as a proxy that lets GET and exec pass; MUSD_DOCKER_URL when unset.",
    )
    docker_containers: Names = Field(
        default=(),
        description="What docker-compose runs: read, and restarted, there and not in a cluster. musd-relay=container.",
        examples=["musd-relay=relay-relay-1"],
    )
    deployments: Names = Field(
        default=(
            "canton-participant",
            "musd-validator-1",
            "musd-validator-2",
            "musd-validator-3",
            "musd-relay",
            "liquidation-bot",
        ),
        description="What the bot may restart, in the order of a restart of all; NAME or NAME=its-own.",
    )
    single_deployments: Names = Field(
        default=("musd-relay",), description="Deployments of which two pods may never run at once."
    )
    validators: Names = Field(
        default=("musd-validator-1", "musd-validator-2", "musd-validator-3"),
        description="Which of the deployments are the validators.",
    )
    rollout_patience: Seconds = Field(
        default=timedelta(minutes=5), gt=timedelta(0), description="Seconds after which a rollout counts as stuck."
    )
    relay_selector: str = Field(default="app=musd-relay", description="Labels of the relay's pods.")
    validator_selector: str = Field(default="app=musd-validator", description="Labels of the validators' pods.")
    relay_url: str = Field(default="http://localhost:8080", description="The relay's own port, for GET /health.")
    network_policies: Names = Field(default=(), description="NetworkPolicies that must be there, by name.")
    relay_hosts: Names = Field(
        default=(), description="What the relay's pod must reach: canton=host:port,ethereum=host:port."
    )
    heartbeat_max_age: Seconds = Field(
        default=timedelta(minutes=2), description="Seconds after which a validator's heartbeat counts as stale."
    )

    @property
    def deployment_names(self) -> tuple[str, ...]:
        """The bot's words for the deployments it may restart."""
        return tuple(one.partition("=")[0] for one in self.docker_containers or self.deployments)

    @property
    def containers(self) -> dict[str, str]:
        """The names of the containers that docker-compose runs, by the bot's words for them."""
        return {name: container or name for name, container in map(pair, self.docker_containers)}
