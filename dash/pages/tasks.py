"""Says what is to be done at a site, in words: the most urgent first. A site of which nothing is heard has no good news."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from dash.data.alerts import Alert
from dash.data.fields import FieldAdvice
from dash.data.machines import MachineNow
from dash.data.today import Silent, SiteToday
from dash.pages.answers import looked_after
from dash.pages.times import ago, day, lately, when
from presentation.wording import capital, count, counted, listed, plain, short

Urgency = Literal["now", "soon", "look"]
ORDER: tuple[Urgency, ...] = ("now", "soon", "look")
URGENCY: Mapping[str, Urgency] = {"critical": "now", "warning": "soon", "info": "look"}
"""Severity of an alert -> its urgency."""
OLD = timedelta(hours=24)
"""Advice that rests on older data is told with their age."""
SOON_DAYS = 2.0
"""With less left than so much, a field needs water soon."""
_HEARD = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: `what` is an order, `why` its reason, `link` the page that shows it, `seen` says who looks after it.

    `alert_id` is the alert by which people are notified of it, if there is one.
    """

    urgency: Urgency
    what: str
    why: str
    link: str
    alert_id: str | None = None
    seen: str = ""


def tasks(site: SiteToday, now: datetime) -> list[Task]:
    """Returns what is to be done at a site, the most urgent first."""
    kinds = (_of_field, _of_machines, _of_alerts, _of_silence, _of_starts)
    return sorted((task for kind in kinds for task in kind(site, now)), key=lambda task: ORDER.index(task.urgency))


def quiet(site: SiteToday, now: datetime) -> str:
    """Says how a site stands that has no task."""
    if site.last_heard is None:
        return "nothing was ever heard from here" if site.devices else "no sensor stands here"
    if now - site.last_heard > _HEARD:
        return f"nothing known since {when(site.last_heard, now, site.time_zone)}"
    if site.field and site.field.action == "wait":
        return f"no water needed, {outlook(site.field)}"
    if site.machines:
        return _sounds(site.machines, now)
    return f"heard {lately(site.last_heard, now)}"


def _sounds(machines: tuple[MachineNow, ...], now: datetime) -> str:
    """Says how machines sound of which none is flagged: as always is a verdict, which those need that are meant."""
    good = sum(machine.is_best and not machine.is_old(now) for machine in machines)
    if good == len(machines):
        return "sounds as always" if good == 1 else f"all {good} machines sound as always"
    return f"{good} of {counted(len(machines), 'machine')} {'sounds' if good == 1 else 'sound'} as always, of the others it is not known"


def outlook(field: FieldAdvice) -> str:
    """Says how long the field's water lasts, by what the advice rests on."""
    if field.days is None:
        return "how long it lasts is not known"
    if field.days >= 13:
        return "enough for two weeks"
    return f"enough for about {counted(max(1, round(field.days)), 'day')} without rain"


def needs_water_soon(field: FieldAdvice) -> bool:
    """Says whether a field that needs no water today will need it within two days."""
    return field.action == "wait" and field.days is not None and field.days < SOON_DAYS


def water(field: FieldAdvice, now: datetime) -> str:
    """Says how much water to give, and until when."""
    amount = f": {count(field.need_mm)} mm" if field.need_mm else ""
    volume = f", {count(field.need_m3)} m³ in all" if field.need_m3 else ""
    return f"Water {field.name} {day(field.water_by, now, field.time_zone) if field.water_by else 'today'}{amount}{volume}"


def _of_field(site: SiteToday, now: datetime) -> Iterator[Task]:
    if (field := site.field) is None:
        return
    link = f"/fields/{field.site_id}"
    old = (
        f" It rests on data of {when(field.heard_time, now, field.time_zone)}." if field.heard_time and now - field.heard_time > OLD else ""
    )
    if field.action == "water":
        yield _told(Task("now", water(field, now), f"{_dryness(field)}{old}", link), _of_water(site), now)
    elif field.action == "wait" and (needs_water_soon(field) or _of_water(site)):
        task = Task("soon", f"{field.name} needs water soon", f"{capital(outlook(field))}.{old}", link)
        yield _told(task, _of_water(site), now)
    elif field.action == "unknown":
        yield Task("look", f"No advice for {field.name}", f"{capital(field.why or 'why is not known')}.", link)
    elif old:
        yield Task("look", f"{field.name} was not heard for {ago(field.heard_time or now, now)}", f"Then it had {outlook(field)}.", link)


def _dryness(field: FieldAdvice) -> str:
    crop = plain(field.crop).lower() if field.crop else "crop"
    if field.days is None:
        return f"The {crop} is near stress."
    if field.days < 1:
        return f"The {crop} {'suffers already' if field.days <= 0 else 'has water for less than a day'}."
    return f"The {crop} has water for about {field.days:.0f} days."


def _of_machines(site: SiteToday, now: datetime) -> Iterator[Task]:
    silent = {device.device_id for device in site.silent}
    for machine in site.machines:
        if machine.is_flagged:
            worst = machine.label == machine.labels[-1]
            what = f"Stop and look at {machine.name}" if worst else f"Look at {machine.name} soon"
            task = Task("now" if worst else "soon", what, sound(machine, now), f"/machines/{machine.device_id}")
            yield _told(task, [alert for alert in site.alerts if alert.device_id == machine.device_id], now)
        elif machine.judged_time and machine.is_old(now) and machine.device_id not in silent:
            what = f"{machine.name} is heard, but was not judged for {ago(machine.judged_time, now)}"
            yield Task("look", what, "Its gateway says whether the model failed.", "/fleet")


def sound(machine: MachineNow, now: datetime) -> str:
    """Says how a machine sounds, since when, and whether it gets worse."""
    if machine.label is None:
        return "No model has judged it yet."
    if machine.judged_time and machine.is_old(now):
        return f"It sounded {machine.label} when it was judged last, {ago(machine.judged_time, now)} ago. How it sounds now is not known."
    since = f" since {when(machine.label_since, now, machine.time_zone)}" if machine.label_since else ""
    times = machine.times_week_before
    worse = f" It is {times:.0f} times as far from normal as a week ago." if machine.is_flagged and times and times >= 1.5 else ""
    return f"It {'has sounded' if since else 'sounds'} {machine.label}{since}.{worse}"


def _of_alerts(site: SiteToday, now: datetime) -> Iterator[Task]:
    """Yields the alerts that no other task of the site speaks of."""
    judged = {machine.device_id for machine in site.machines if machine.is_flagged}
    watered = _of_water(site) if site.field is not None and site.field.action != "unknown" else []
    for alert in site.alerts:
        if alert.device_id not in judged and alert not in watered:
            yield of_alert(alert, now)


def _of_water(site: SiteToday) -> list[Alert]:
    """Returns the alerts that a field lacks water: by its balance, or by the verdict of a model on a probe, which has no threshold."""
    machines = {machine.device_id for machine in site.machines}
    of_fields = (alert for alert in site.alerts if alert.device_id not in machines)
    return [alert for alert in of_fields if alert.source == "irrigation" or (alert.source == "event" and alert.threshold is None)]


def _told(task: Task, alerts: list[Alert], now: datetime) -> Task:
    """Adds to a task by which alert people are notified of it, and who looks after it."""
    return replace(task, alert_id=alerts[0].alert_id, seen=looked_after(alerts, now)) if alerts else task


def of_alert(alert: Alert, now: datetime) -> Task:
    """Returns the task that an open alert is."""
    since = f"Since {when(alert.opened_time, now, alert.time_zone)}."
    why = f"{since} {short(alert.to_do).rstrip('.')}." if alert.to_do else since
    return _told(Task(URGENCY[alert.severity], capital(short(alert.message)), why, f"/alerts#{alert.alert_id}"), [alert], now)


def _of_silence(site: SiteToday, now: datetime) -> Iterator[Task]:
    causes: dict[str, list[Silent]] = defaultdict(list)
    for device in site.silent:
        causes[device.cause].append(device)
    for cause, devices in causes.items():
        names = _those([f"{each.name} for {ago(each.last_heard, now)}" if each.last_heard else each.name for each in devices])
        yield Task("look", f"{_sensors(devices, site)} silent at {site.name}", f"{capital(_cause(cause))}: {names}.", "/fleet")


def _of_starts(site: SiteToday, now: datetime) -> Iterator[Task]:
    if site.not_yet:
        names = _those(
            [f"{each.name} {lately(each.last_heard, now)}" if each.last_heard else f"{each.name} never" for each in site.not_yet]
        )
        why = f"The gateway has started, and waits for them. They were heard before: {names}."
        yield Task("look", f"{_sensors(site.not_yet, site)} not heard yet at {site.name}", why, "/fleet")


def _sensors(devices: Sequence[Silent], site: SiteToday) -> str:
    return "A sensor is" if len(devices) == 1 else f"{len(devices)} of {site.devices} sensors are"


def _those(names: Sequence[str]) -> str:
    return listed(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _cause(cause: str) -> str:
    return {"the device itself": "its gateway hears others, so look at the sensor", "never heard": "never heard"}.get(cause, cause)
