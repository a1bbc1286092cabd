"""Fetches a film's Korean subtitles and sends them as plain text."""

import agent
import yt_dlp  # type: ignore[import-untyped]  # it has no types

ADDRESS = "http://sites.test/watch/clip"

agent.step("자막 찾기")
options = {
    "skip_download": True,
    "writesubtitles": True,
    "subtitleslangs": ["ko"],
    "outtmpl": str(agent.output("clip")) + ".%(ext)s",
    "quiet": True,
    "noprogress": True,
    "cachedir": False,
}
with yt_dlp.YoutubeDL(options) as reader:
    reader.extract_info(ADDRESS)

agent.step("글로 바꾸기")
lines = agent.output("clip.ko.vtt").read_text(encoding="utf-8").splitlines()
spoken = [line for line in lines if line and line != "WEBVTT" and "-->" not in line]
agent.output("subtitles.txt").write_text("\n".join(spoken) + "\n", encoding="utf-8")
agent.deliver("inbox", "\n".join(spoken), files=["clip.ko.vtt"])
