"""The ledger's refusals, as Canton words them: a code, a category, and whether trying again can help."""

from bot.drill.listening import Json

# Canton's error categories with the gRPC code and the HTTP status each has.
CONTENTION = (2, 10, 409)
UNAUTHENTICATED = (6, 16, 401)
DENIED = (7, 7, 403)
MALFORMED = (8, 3, 400)
STATE = (9, 9, 400)
EXISTS = (10, 6, 409)
MISSING = (11, 5, 404)
BEYOND_END = (12, 11, 400)
TRANSIENT = (1, 14, 503)
TOO_MANY = (9, 9, 413)


class LedgerError(Exception):
    """A command or query the ledger refuses."""

    def __init__(
        self,
        code: str,
        cause: str,
        category: tuple[int, int, int],
        *,
        resource: tuple[str, str] | None = None,
        retry: str | None = None,
        context: dict[str, str] | None = None,
    ) -> None:
        super().__init__(cause)
        self.code = code
        self.category, self.grpc, self.status = category
        self.cause = cause
        self.resource = resource
        self.retry = retry
        self.context = context or {}

    def as_json(self, trace: str, correlation: str | None = None) -> Json:
        """The body of the answer."""
        said: Json = {
            "code": self.code,
            "cause": self.cause,
            "traceId": trace,
            "context": {"category": str(self.category), "definite_answer": "false", "tid": trace, **self.context},
            "resources": [list(self.resource)] if self.resource else [],
            "errorCategory": self.category,
            "grpcCodeValue": self.grpc,
            "definiteAnswer": False,
        }
        if correlation:
            said["correlationId"] = correlation
        if self.retry:
            said["retryInfo"] = self.retry
        return said


def malformed(what: str) -> LedgerError:
    """The request itself is wrong."""
    return LedgerError("INVALID_ARGUMENT", f"The submitted request has invalid arguments: {what}", MALFORMED)


def no_contract(identity: str) -> LedgerError:
    """No such contract is active, or none this party may see."""
    cause = f"Contract could not be found with id {identity}"
    return LedgerError("CONTRACT_NOT_FOUND", cause, MISSING, resource=("CONTRACT_ID", identity))


def failed(reason: str) -> LedgerError:
    """A template's own assertion failed."""
    what = "UNHANDLED_EXCEPTION/DA.Exception.AssertionFailed:AssertionFailed"
    cause = f"Interpretation error: Error: User failure: {what} (error category 9): {reason}"
    return LedgerError("DAML_FAILURE", cause, STATE, context={"error_id": what})


def unauthorised(needed: list[str], given: list[str]) -> LedgerError:
    """Parties whose authority the action needs did not submit it."""
    cause = f"Interpretation error: Error: node requires authorizers {','.join(needed)}, but only {','.join(given)}"
    return LedgerError("DAML_AUTHORIZATION_ERROR", f"{cause} were given", MALFORMED)


def denied(user: str, right: str) -> LedgerError:
    """The token's user lacks a right; it is named."""
    return LedgerError("PERMISSION_DENIED", f"User {user} lacks the right {right}", DENIED, context={"right": right})


def unauthenticated(why: str) -> LedgerError:
    """There is no token, or not one this ledger takes."""
    return LedgerError("UNAUTHENTICATED", f"The request has no valid access token: {why}", UNAUTHENTICATED)


def locked(identity: str) -> LedgerError:
    """Another transaction is about to use the contract."""
    cause = f"Rejected transaction is referring to locked contracts {identity}"
    code = "LOCAL_VERDICT_LOCKED_CONTRACTS"
    return LedgerError(code, cause, CONTENTION, resource=("CONTRACT_ID", identity), retry="1 second")


def duplicate(command: str, offset: int, submission: str) -> LedgerError:
    """The same change was made before."""
    cause = f"A command with the given command id has already been successfully processed: {command}"
    context = {"completion_offset": str(offset), "existing_submission_id": submission}
    return LedgerError("DUPLICATE_COMMAND", cause, EXISTS, context=context)


def too_many(found: int, limit: int) -> LedgerError:
    """A list is longer than one answer may be."""
    cause = f"The number of elements exceeds the node's limit ({found} > {limit} limit)"
    return LedgerError("JSON_API_MAXIMUM_LIST_ELEMENTS_NUMBER_REACHED", cause, TOO_MANY)
