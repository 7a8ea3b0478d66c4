"""Names for generated clients: an operationId and a tag for each call, derived from its path."""

from typing import Final

VERBS: Final = {"GET": "get", "PATCH": "update", "PUT": "put", "DELETE": "delete"}
NAMED: Final = {
    ("GET", "/healthz"): "getHealth",
    ("GET", "/readyz"): "getReadiness",
    ("GET", "/openapi.json"): "getOpenApi",
    ("GET", "/exports/{}/download"): "downloadExport",
    ("GET", "/profiles/{}/photo/{}"): "getPublicPhoto",
    ("POST", "/admins"): "createAdmin",
    ("POST", "/me/password"): "changePassword",
    ("POST", "/notifications/read"): "markNotificationsRead",
    ("GET", "/notifications"): "listNotifications",
    ("GET", "/requests/{}/photos"): "getRequestPhotos",
    ("GET", "/requests/{}/checklist"): "getRequestChecklist",
    ("PUT", "/requests/{}/checklist/{}"): "tickRequestPoint",
    ("GET", "/me/conversations"): "listMyConversations",
    ("GET", "/requests/{}/conversations"): "getRequestConversations",
    ("POST", "/requests/{}/messages/read"): "markMessagesRead",
    ("POST", "/requests/{}/messages/report"): "reportConversation",
    ("GET", "/events"): "followEvents",
    ("GET", "/events/access"): "getEventAccess",
    ("POST", "/logout/everywhere"): "logoutEverywhere",
    ("POST", "/me/email/confirmation"): "sendMyEmailConfirmation",
    ("POST", "/me/phone/code"): "sendMyPhoneCode",
    ("POST", "/me/inbox"): "markInboxSeen",
    ("POST", "/unsubscribe/{}"): "unsubscribe",
    ("GET", "/jobs"): "listJobs",
    ("GET", "/jobs/failed"): "listFailedJobs",
    ("POST", "/jobs/failed/{}/retry"): "retryFailedJob",
    ("GET", "/jobs/parked"): "listParkedJobs",
    ("POST", "/jobs/parked/{}/retry"): "retryParkedJob",
}
TAGS: Final = {
    "accounts": "Accounts",
    "sessions": "Authentication",
    "passwords": "Authentication",
    "phones": "Accounts",
    "preferences": "Accounts",
    "push": "Accounts",
    "documents": "Documents",
    "tasks": "Tasks",
    "search": "Search",
    "places": "Search",
    "task_requests": "Requests",
    "price_lines": "Requests",
    "offers": "Requests",
    "conversations": "Conversations",
    "scheduling": "Schedule",
    "visits": "Visits",
    "photos": "Photos",
    "checklists": "Checklists",
    "reviews": "Reviews",
    "professionals": "Professionals",
    "profiles": "Profiles",
    "profile_photos": "Profiles",
    "moderation": "User administration",
    "market": "Settings",
    "exports": "Exports",
    "reports": "Reports",
    "jobs": "Jobs",
    "notifications": "Notifications",
    "dashboard": "Dashboard",
    "audit": "Audit trail",
    "events": "Live updates",
    "health": "Health",
    "docs": "Documentation",
}


def tag(module: str) -> str:
    """Return the tag that groups a resource's calls."""
    name = module.rsplit(".", 1)[-1]
    return TAGS.get(name, name.replace("_", " ").capitalize())


def operation_id(method: str, path: str, *, paged: bool, has_get: bool) -> str:
    """Return the operation id, such as ``listRequests`` or ``acceptRequest``. ``path`` has its parameters in braces."""
    segments = path.strip("/").split("/")
    anonymous = "/" + "/".join("{}" if "{" in part else part for part in segments)
    if named := NAMED.get((method, anonymous)):
        return named
    words = [part for part in segments if "{" not in part]
    if method == "POST":
        return _posted(segments, words, has_get=has_get)
    if paged:
        return _camel("list", *_singular_owners(segments), words[-1])
    return _camel(VERBS[method], *_singular_owners(segments), *_last(segments))


def _posted(segments: list[str], words: list[str], *, has_get: bool) -> str:
    if has_get:
        return _camel("create", *_singular_owners(segments), _singular(words[-1]))
    if len(words) == 1:
        return _camel(words[0])
    return _camel(words[-1], *(_singular(word) for word in words[:-1]))


def _singular_owners(segments: list[str]) -> list[str]:
    """Return the static segments before the last, in the singular: ``task`` for ``/tasks/{id}/professionals``."""
    words = [part for part in segments if "{" not in part]
    return [_singular(word) for word in words[:-1]]


def _last(segments: list[str]) -> list[str]:
    words = [part for part in segments if "{" not in part]
    one = "{" in segments[-1]
    return [_singular(words[-1]) if one else words[-1]]


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _camel(*words: str) -> str:
    words = tuple("my" if word == "me" and place < len(words) - 1 else word for place, word in enumerate(words))
    parts = [part for word in words for part in word.replace("-", "_").replace(".", "_").split("_") if part]
    return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])
