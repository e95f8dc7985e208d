"""Every generated answer of suites/capability, dates: worked out again from the words of its prompt alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from evalkit.probe import Probe
from evalkit.verdict import Verdict

Generated = Callable[[str], Iterator[tuple[Probe, Callable[[str], Verdict]]]]

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip


def whole(text: str) -> list[int]:
    """The whole numbers of a text, in order."""
    return [int(found) for found in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", text)]


def days_since_0(year: int, month: int, day: int) -> int:
    """Days of the Gregorian calendar, counted without the datetime package (Fliegel and Van Flandern 1968)."""
    shift = -1 if month <= 2 else 0
    return (
        day - 32075
        + 1461 * (year + 4800 + shift) // 4
        + 367 * (month - 2 - 12 * shift) // 12
        - 3 * ((year + 4900 + shift) // 100) // 4
    )  # fmt: skip


def dates(text: str) -> list[int]:
    found = re.findall(rf"(\d+) ({'|'.join(MONTHS)}) (\d+)", text)
    return [days_since_0(int(year), MONTHS.index(month) + 1, int(day)) for day, month, year in found]


def written(day: int) -> str:
    """The ISO date of a day number, by counting on from a known one."""
    return date.fromordinal(day - days_since_0(2000, 1, 1) + date(2000, 1, 1).toordinal()).isoformat()


def clocks(text: str) -> list[int]:
    return [int(hour) * 60 + int(minute) for hour, minute in re.findall(r"(\d\d):(\d\d)", text)]


def shown(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _weekday_after(t: str) -> object:
    (days,) = whole(t)
    (start,) = [DAYS.index(day) for day in DAYS if day in t]
    return DAYS[(start + (-days if "ago" in t else days)) % 7]


def _weekday_of(t: str) -> object:
    known, asked = dates(t)
    (day,) = [DAYS.index(day) for day in DAYS if day in t]
    assert day == known % 7
    return DAYS[(day + asked - known) % 7]


def _days_between(t: str) -> object:
    a, b = dates(t)
    return b - a + ("Both days included" in t)


def _date_after(t: str) -> object:
    (days,) = [int(found) for found in re.findall(r"(\d+) days", t)]
    return written(dates(t)[0] + days)


def _date_before(t: str) -> object:
    (days,) = [int(found) for found in re.findall(r"(\d+) days", t)]
    return written(dates(t)[0] - days)


def _leap_years(t: str) -> object:
    a, b = [number for number in whole(t) if number > 1000]
    return sum(days_since_0(year, 3, 1) - days_since_0(year, 2, 28) == 2 for year in range(a, b + 1))


def _time_after(t: str) -> object:
    ((hours, minutes),) = re.findall(r"(\d+) h (\d+) min", t)
    return shown(clocks(t)[0] + int(hours) * 60 + int(minutes))


def _duration(t: str) -> object:
    a, b = clocks(t)
    return b - a + (1440 if "next day" in t else 0)


def _age(t: str) -> object:
    (d, m, y), (dd, mm, yy) = re.findall(rf"(\d+) ({'|'.join(MONTHS)}) (\d+)", t)
    birthday_is_over = (MONTHS.index(mm), int(dd)) >= (MONTHS.index(m), int(d))
    return int(yy) - int(y) - (0 if birthday_is_over else 1)


def _zones(t: str) -> object:
    flight, zone = int(re.findall(r"(\d+) minutes", t)[0]), int(re.findall(r"(\d+) h ", t)[0])
    return shown(clocks(t)[0] + flight + (zone if "ahead" in t else -zone) * 60 + 2880)


def _nth_weekday(t: str) -> object:
    first, wanted = re.findall("|".join(DAYS), t)
    given = re.search(r"whose day (\d+) is", t)
    anchor = int(given[1]) if given else 1
    which = ["first", "second", "third", "fourth"].index(re.findall(r"the (second|third|fourth) ", t)[0])
    offset = DAYS.index(first) - anchor
    return [day for day in range(1, 32) if (day + offset) % 7 == DAYS.index(wanted)][which]


def _cycles(t: str) -> object:
    a, b = whole(t)
    return next(n for n in range(1, a * b + 1) if n % a == n % b == 0)


SOLVERS: dict[str, Callable[[str], object]] = {
    "weekday_after": _weekday_after,
    "weekday_of": _weekday_of,
    "days_between": _days_between,
    "date_after": _date_after,
    "date_before": _date_before,
    "leap_years": _leap_years,
    "time_after": _time_after,
    "duration": _duration,
    "age": _age,
    "zones": _zones,
    "nth_weekday": _nth_weekday,
    "cycles": _cycles,
}


@pytest.mark.parametrize("kind", sorted(SOLVERS))
def test_the_second_reckoning_agrees(kind: str, generated: Generated) -> None:
    """Ten prompts of a kind are solved from their own words by other means; each probe's assertion takes the result."""
    for probe, judge in generated(kind):
        found = SOLVERS[kind](probe.prompt)

        verdict = judge(f"The answer is {found}.")
        assert verdict.outcome == "pass", (probe.id, probe.prompt, found, verdict.reason)
