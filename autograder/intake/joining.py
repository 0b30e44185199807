"""Which hand-in is whose: the roster's names in the place of what a platform made of them.

Numbers, logins and e-mails are compared before names; a name that two people share joins nobody.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from autograder.intake.hand_ins import HandIn, Student
from autograder.model import Person


def join(students: list[Student], people: list[Person]) -> tuple[list[Student], list[str]]:
    """Give the class: who is in the roster, with what they handed in, and who handed in and is not in it; and lines about these."""
    known, notes = _keys(people), []
    owned: dict[str, list[Student]] = {person.student: [] for person in people}
    strangers = []
    for student in students:
        person = next((known[key] for key in _keys_of_student(student) if key in known), None)
        if person:
            owned[person.student].append(student)
        else:
            strangers.append(student)
            notes.append(f"{student.name}: handed in, and is not in the roster")
    joined = []
    for person in people:
        own = owned[person.student]
        joined.append(_joined(person, own[-1:]))
        if len(own) > 1:
            notes.append(f"{person.student}: handed in as {', '.join(one.name for one in own)}; the last of these is taken")
    return [*joined, *(_renamed(one, owned) for one in strangers)], notes


def _joined(person: Person, own: list[Student]) -> Student:
    hand_ins = own[0].hand_ins if own else ()
    if person.handed_in and hand_ins:
        hand_ins = (*hand_ins[:-1], _at(hand_ins[-1], person))
    return Student(person.student, hand_ins, person.id or (own[0].id if own else ""), person.login)


def _at(hand_in: HandIn, person: Person) -> HandIn:
    return replace(hand_in, facts=replace(hand_in.facts, at=person.handed_in))


def _renamed(stranger: Student, taken: Iterable[str]) -> Student:
    return replace(stranger, name=f"{stranger.name} (not in the roster)") if stranger.name in taken else stranger


def _keys(people: list[Person]) -> dict[str, Person]:
    """List what people are known by; what two share is nobody's."""
    pairs = [(key, person) for person in people for key in set(_keys_of_person(person))]
    often = Counter(key for key, _ in pairs)
    return {key: person for key, person in pairs if often[key] == 1}


def _keys_of_person(person: Person) -> Iterator[str]:
    yield from (f"exactly {word.casefold()}" for word in (person.id, person.login, person.email, person.student) if word)
    yield f"letters {letters(person.student)}"
    *first, last = person.student.replace(",", " ").split() or [""]
    yield f"letters {letters(last + ''.join(first))}"


def _keys_of_student(student: Student) -> Iterator[str]:
    words = [student.id, student.login, student.name, *student.aliases]
    yield from (f"exactly {word.casefold()}" for word in words if word)
    yield from (f"letters {letters(word)}" for word in words[2:] if letters(word))


def letters(name: str) -> str:
    """Give a name as Canvas writes it into files: its letters and digits alone, small, accents composed."""
    return "".join(c for c in unicodedata.normalize("NFC", name).casefold() if c.isalnum())
