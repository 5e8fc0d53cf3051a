"""What a user may do, asked of the API: ``kubectl auth can-i``, ``can-i --list`` and ``whoami``."""

from bot.drill.cluster.access import Access, Demand
from bot.drill.cluster.failures import Object, bad_request
from bot.drill.cluster.request import Asked
from bot.drill.cluster.state import State


def review(access: Access, state: State, asked: Asked) -> Object:
    """Answer one review. Raises `RefusedError` (400) where it asks nothing."""
    body = asked.json()
    answer = {
        "kind": asked.kind.kind,
        "apiVersion": asked.kind.group_version,
        "metadata": {},
        "spec": body.get("spec", {}),
    }
    if asked.kind.plural == "selfsubjectreviews":
        groups = ["system:serviceaccounts", "system:serviceaccounts:musd", "system:authenticated"]
        return {**answer, "status": {"userInfo": {"username": asked.user, "groups": groups}}}
    if asked.kind.plural == "selfsubjectrulesreviews":
        rules = access.rules[asked.user]
        return {**answer, "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}
    wanted = answer["spec"].get("resourceAttributes")
    if not isinstance(wanted, dict):
        raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
    resource = "/".join(filter(None, (wanted.get("resource", ""), wanted.get("subresource", ""))))
    demand = Demand(
        wanted.get("verb", ""), wanted.get("group", ""), resource, wanted.get("namespace", ""), wanted.get("name", "")
    )
    taken = any(
        rule["verb"] in {"*", demand.verb} and rule["resource"] in {"*", demand.resource}
        for rule in state.troubles.forbidden
    )
    return {**answer, "status": {"allowed": access.allows(asked.user, demand) and not taken}}
