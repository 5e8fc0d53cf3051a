"""Uploads: ask for an address, send the bytes there, complete; then info, list, delete."""

import mimetypes
import time

from bot.drill.workspace.arguments import Arguments
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError, invalid_arguments
from bot.drill.workspace.methods.chat import content, thread_of
from bot.drill.workspace.methods.reach import alive, entered
from bot.drill.workspace.posting import post
from bot.drill.workspace.records import BOT_USER, File, Json
from bot.drill.workspace.showing import file_json
from bot.drill.workspace.state import new_id


def _upload_url(slack: Slack, args: Arguments) -> Json:
    length = args.whole("length", 0)
    if length <= 0:
        raise invalid_arguments("must be greater than 0 [json-pointer:/length]")
    name = args.text("filename").replace("/", "_")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    file = File(new_id("F"), name, name, length, kind, BOT_USER, int(time.time()), alt=args.text("alt_txt"))
    slack.state.files[file.id] = file
    return {"upload_url": f"{slack.url}/upload/{file.id}", "file_id": file.id}


def _complete(slack: Slack, args: Arguments) -> Json:
    """Finish uploads and, with a channel, share them there in one message."""
    asked = args.parsed("files")
    if not isinstance(asked, list) or not asked:
        raise invalid_arguments("must be a list of files [json-pointer:/files]")
    channels = args.words("channels") or args.words("channel_id")
    rooms = [alive(entered(slack, Arguments({"channel": one}))) for one in channels]
    threads = [thread_of(slack, room, args) for room in rooms]
    said = {name: value for name, value in content(args).items() if name == "blocks"}
    files = [_uploaded(slack, one.get("id", "")) for one in asked]
    for file, one in zip(files, asked, strict=True):
        file.title = one.get("title") or file.name
        file.complete = True
        file.channels = [room.id for room in rooms]
        file.thread_ts = args.text("thread_ts") or None
    for room, thread in zip(rooms, threads, strict=True):
        ids = [file.id for file in files]
        post(slack, room, BOT_USER, args.text("initial_comment"), by_bot=True, files=ids, thread_ts=thread, **said)
    slack.state.changed()
    return {"files": [file_json(slack, one) for one in files]}


def _uploaded(slack: Slack, file_id: str) -> File:
    file = slack.state.files.get(file_id)
    if file is None or not file.uploaded or file.complete:
        raise SlackError("file_not_found")
    return file


def _complete_one(slack: Slack, file_id: str) -> File:
    file = slack.state.files.get(file_id)
    if file is None or not file.complete:
        raise SlackError("file_not_found")
    return file


def _info(slack: Slack, args: Arguments) -> Json:
    return {"file": file_json(slack, _complete_one(slack, args.text("file")))}


def _list(slack: Slack, args: Arguments) -> Json:
    channel, user = args.text("channel"), args.text("user")
    files = [
        file_json(slack, one)
        for one in reversed(slack.state.files.values())
        if one.complete and (not channel or channel in one.channels) and (not user or user == one.user)
    ]
    count, number = args.whole("count", 100), args.whole("page", 1)
    shown = files[(number - 1) * count : number * count]
    paging = {"count": count, "total": len(files), "page": number, "pages": -(-len(files) // count)}
    return {"files": shown, "paging": paging}


def _delete(slack: Slack, args: Arguments) -> Json:
    file = _complete_one(slack, args.text("file"))
    if file.user != BOT_USER:
        raise SlackError("cant_delete_file")
    for messages in slack.state.messages.values():
        for message in messages.values():
            if file.id in message.files:
                message.files.remove(file.id)
    del slack.state.files[file.id]
    (slack.folder / "files" / file.id).unlink(missing_ok=True)
    slack.state.changed()
    return {}


HANDLERS = {
    "files.getUploadURLExternal": _upload_url,
    "files.completeUploadExternal": _complete,
    "files.info": _info,
    "files.list": _list,
    "files.delete": _delete,
}
