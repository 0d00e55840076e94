"""What programs that nobody here wrote read in a calendar or a feed: `judges.py calendar|feed` with the bytes on its input, JSON on its output."""

import json
import sys
from zoneinfo import ZoneInfo

import feedparser
import icalendar


def calendar(text):
    """Every event, times on the clocks of Berlin, and everything that the parser could not make sense of."""
    found = icalendar.Calendar.from_ical(text)
    events = []
    for event in found.walk("VEVENT"):
        start = event.decoded("DTSTART")
        events.append(
            {
                "uid": str(event["UID"]),
                "summary": str(event["SUMMARY"]),
                "description": str(event["DESCRIPTION"]),
                "url": str(event["URL"]),
                "start": start.isoformat(),
                "berlin": start.astimezone(ZoneInfo("Europe/Berlin")).isoformat(),
                "minutes": event.decoded("DURATION").total_seconds() / 60,
                "alarms": [alarm.decoded("TRIGGER").total_seconds() / 60 for alarm in event.walk("VALARM")],
                "errors": [str(error) for error in event.errors],
            }
        )
    # What is read and written again is what was written: nothing was left out.
    again = icalendar.Calendar.from_ical(found.to_ical())
    return {"name": str(found.get("X-WR-CALNAME", "")), "events": events, "errors": [str(error) for error in found.errors], "whole": again == found}


def feed(text):
    """The feed's and its items' words, and whether it is well-formed."""
    found = feedparser.parse(text)
    items = [
        {
            "title": item.title,
            "id": item.id,
            "link": item.link,
            "duration": item.get("itunes_duration"),
            "enclosures": [{"href": one.href, "type": one.type, "length": int(one.length)} for one in item.enclosures],
            "published": item.get("published_parsed") is not None,
        }
        for item in found.entries
    ]
    return {"bozo": bool(found.bozo), "why": str(found.get("bozo_exception", "")), "version": found.version, "title": found.feed.title, "items": items}


json.dump({"calendar": calendar, "feed": feed}[sys.argv[1]](sys.stdin.buffer.read()), sys.stdout)
