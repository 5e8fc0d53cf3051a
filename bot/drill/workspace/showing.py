"""Users, channels and files as Slack shows them in JSON."""

from bot.drill.workspace.core import Slack
from bot.drill.workspace.records import APP_ID, BOT_ID, BOT_USER, TEAM_ID, Channel, File, Json, User


def email_of(user: User) -> str:
    """A person's address, in a domain that cannot exist."""
    return f"{user.name}@musd-practice.invalid"


def user_json(slack: Slack, user: User) -> Json:
    """A user as ``users.info`` shows it; the address only with the scope for it."""
    profile: Json = {"real_name": user.real_name, "display_name": user.name, "team": user.team_id, "title": ""}
    if user.is_bot:
        profile.update(bot_id=BOT_ID, api_app_id=APP_ID)
    elif "users:read.email" in slack.manifest.scopes:
        profile["email"] = email_of(user)
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_stranger": user.team_id != TEAM_ID,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "updated": 1_700_000_000,
    }


def channel_json(channel: Channel, *, members: bool = False) -> Json:
    """A conversation as ``conversations.info`` shows it to the bot."""
    shown: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_group": channel.kind == "group",
        "is_channel": channel.kind == "channel",
        "is_private": channel.is_private,
        "is_general": channel.is_general,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "context_team_id": TEAM_ID,
    }
    if channel.kind == "im":
        return shown | {"user": next((one for one in channel.members if one != BOT_USER), BOT_USER), "is_open": True}
    shown |= {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_member": BOT_USER in channel.members,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
        "purpose": {"value": channel.purpose, "creator": channel.creator, "last_set": channel.created},
        "previous_names": channel.previous_names,
    }
    return shown | ({"num_members": len(channel.members)} if members else {})


def file_json(slack: Slack, file: File) -> Json:
    """An upload as ``files.info`` shows it."""
    address = f"{slack.url}/files/{file.id}/{file.name}"
    kinds = {"C": "channels", "G": "groups", "D": "ims"}
    shared: Json = {name: [one for one in file.channels if one.startswith(letter)] for letter, name in kinds.items()}
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.content_type,
        "filetype": file.name.rpartition(".")[2] if "." in file.name else "text",
        "user": file.user,
        "user_team": TEAM_ID,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": bool(shared["channels"]),
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        **({"alt_txt": file.alt} if file.alt else {}),
        **shared,
    }
