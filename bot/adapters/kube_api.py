"""The connection to a Kubernetes API server: one credential, and its errors in words for people."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from kubernetes_asyncio import client, config

from bot.adapters.trouble import reason
from bot.errors import RefusedError, UnavailableError

T = TypeVar("T")

_TEXT_AT_MOST = 2000
"""Characters of an error's text that are kept."""
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 401, 403, 404, 409


TIMEOUT = 4.0
"""Seconds that one request may take."""


class KubeApi:
    """Asks the API server under one credential. Connects when it is first asked, so that a bot without one starts."""

    def __init__(
        self,
        namespace: str,
        kubeconfig: Path | None = None,
        *,
        context: str | None = None,
        token_file: Path | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Connect to one cluster.

        Args:
            namespace: where the protocol's pods are.
            kubeconfig: a file; without one, the service account of the pod that the bot runs in.
            context: which of the kubeconfig's contexts; its current one when not given.
            token_file: inside a cluster, another service account's token than the pod's own.
            timeout: seconds for one request.
        """
        self.namespace = namespace
        self.timeout = timeout
        self._kubeconfig = kubeconfig
        self._context = context
        self._token_file = token_file
        self._client: Any = None
        self._connecting = asyncio.Lock()

    async def ask(self, question: Callable[[Any], Awaitable[T]], what: str, grant: str, *, writes: bool = False) -> T:
        """The answer to a question, which is handed an `ApiClient`.

        Args:
            question: may be asked twice, where the token or the connection had grown old.
            what: in words, such as ``list pods``.
            grant: what the role has to have for it, such as ``list on pods``.
            writes: whether it changes something: whatever is turned down then has changed nothing, and is refused.

        Raises:
            RefusedError: a change was turned down: nothing was changed.
            UnavailableError: no sensible answer.
        """
        try:
            return await self._asked(question)
        except client.ApiException as error:
            why = self._refused(error, what, grant)
            if writes and 400 <= (error.status or 0) < 500:  # noqa: PLR2004 - HTTP's own: the request was turned down
                raise RefusedError(why.happened, means="Nothing was changed.", next_step=why.next_step) from None
            raise why from None
        except config.ConfigException as error:
            raise self._unconfigured(str(error)) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError(f"Kubernetes does not answer: {reason(error, timeout=self.timeout)}.") from None
        except ValueError as error:
            raise UnavailableError(f"Kubernetes' answer can't be read: {str(error)[:_TEXT_AT_MOST]}.") from None

    async def close(self) -> None:
        """Close the connections."""
        api_client, self._client = self._client, None
        if api_client is not None:
            await api_client.close()

    async def _asked(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Ask; once more with a fresh token or connection where the old one may be the reason for the failure."""
        try:
            return await question(await self._connected())
        except client.ApiException as error:
            if error.status != _UNAUTHORIZED:
                raise
        except aiohttp.ClientConnectionError as error:
            if isinstance(error, TimeoutError):
                raise
        await self.close()
        return await question(await self._connected())

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None:
                settings = client.Configuration()
                if self._kubeconfig is None:
                    own = {"token_filename": str(self._token_file)} if self._token_file else {}
                    config.load_incluster_config(client_configuration=settings, **own)  # type: ignore[no-untyped-call]  # the library's own
                else:
                    path = str(self._kubeconfig)
                    await config.load_kube_config(path, self._context, settings, persist_config=False)
                api_client = client.ApiClient(settings)
                _without_environment(api_client.rest_client)
                self._client = api_client
            return self._client

    def _refused(self, error: Any, what: str, grant: str) -> UnavailableError:
        if error.status == _FORBIDDEN:
            return UnavailableError(
                f"The bot's Kubernetes token may not {what} in {self.namespace}.",
                next_step=f"Grant its role: {grant} in {self.namespace}.",
            )
        if error.status == _UNAUTHORIZED:
            return UnavailableError(
                "Kubernetes does not accept the bot's token.", next_step="Renew the kubeconfig or service account."
            )
        said = (message(error.body) if error.body else "") or error.reason or f"HTTP {error.status}"
        if error.status == _NOT_FOUND:
            return UnavailableError(f"Kubernetes has nothing there to {what}: {said}.")
        if error.status == _CONFLICT:
            return UnavailableError(
                f"Somebody else changed it in this very moment, so Kubernetes did not {what}.",
                next_step="Look at what was changed, then propose it again.",
            )
        return UnavailableError(f"Kubernetes could not {what}: {said}.")

    def _unconfigured(self, why: str) -> UnavailableError:
        if self._kubeconfig is None:
            return UnavailableError(
                "No kubeconfig is configured, and the bot does not run in a cluster.",
                next_step="Set MUSD_KUBECONFIG, or run the bot as a pod with a service account.",
            )
        return UnavailableError(f"The kubeconfig {self._kubeconfig} can't be used: {why}")


def message(body: str | bytes) -> str:
    """The message in a Kubernetes `Status`, or what there is instead."""
    try:
        return str(json.loads(body)["message"])[:_TEXT_AT_MOST]
    except (ValueError, KeyError, TypeError):
        return (body.decode(errors="replace") if isinstance(body, bytes) else body)[:_TEXT_AT_MOST]


def _without_environment(rest: Any) -> None:
    """Take the proxy from the kubeconfig or none at all: one from the environment would catch loopback, too."""
    session = rest.pool_manager
    rest.pool_manager = aiohttp.ClientSession(connector=session.connector, trust_env=False)
    session.detach()
