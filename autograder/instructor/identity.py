"""Who is the same person from one run to the next, and who is meant by a word.

A person keeps one key in the gradebook, whatever they are called: attempts, overrides, extensions and feedback follow it. Two records
are one person if a number, login or e-mail is the same, or else the name. A name that is another person's decides against one number,
and a number that differs decides against a name, which a namesake may have.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from autograder.course.errors import UsageError
from autograder.course.text import clean
from autograder.instructor.intake import NUMBERS, WITH_NUMBER, name_keys
from autograder.instructor.roster import Person, known_as, unique

MOST, FEW = 20, 5_000  # students that are listed, and names that are all compared with one that is not there
_MARK = re.compile(r" \([^()]*\)$")


class Identified(Struct, frozen=True):
    """The people of a run as the gradebook knows them.

    `people` are their records, `unrecorded` those that the gradebook does not hold yet; `names` holds the name in results by the name
    that came; `renamed` the new name of people whose earlier results are called otherwise.
    """

    people: tuple[Person, ...]
    unrecorded: tuple[Person, ...]
    names: dict[str, str]
    renamed: dict[str, str]
    notes: tuple[str, ...]


def identify(found: Sequence[Person], recorded: Mapping[str, Person], exercises: Collection[str] = (), *, named: bool) -> Identified:
    """Match the people of a run with those recorded. If they are `named`, as in a roster, their names hold; otherwise the recorded ones.

    What a roster says of extensions is for the `exercises` that are graded with it.
    """
    notes: list[str] = []
    same = _matches(found, recorded, notes)
    taken = {person.student for person in found if named} | {name for name in recorded if not named}
    names: dict[str, str] = {}
    people: dict[str, Person] = {}
    for person in found:
        known = same.get(person.student)
        name = person.student if named else known.student if known else _free(person, taken)
        taken.add(name)
        names[person.student] = name
        people[name] = _recorded_as(person, known, name, named)
        if named:
            people[name] = replace(people[name], due_of=people[name].due_of | dict.fromkeys(exercises, person.due))
    matched = {known.student for known in same.values()}
    for other in (recorded[name] for name in recorded if name not in matched and name in people):
        name = _free(other, {*taken, *recorded})
        people[name] = _called(other, name)
        taken.add(name)
    keys = {person.known_by for person in recorded.values()}
    fresh = [name for name, person in people.items() if not person.key and person.student not in matched and person.student in keys]
    for name in fresh:
        people[name] = replace(people[name], key=_free(people[name], {*keys, *taken}))
    renamed = {person.former[-1]: name for name, person in people.items() if person.former and person.former[-1] in recorded}
    renamed = {old: new for old, new in renamed.items() if recorded[old].known_by == people[new].known_by}
    notes += [f"{old} is called {new} from now on: results, overrides and extensions stay theirs" for old, new in renamed.items()]
    new = [clean(names[one.student], 60) for one in found if one.student not in same] if recorded and not named else []
    notes += [f"new in the class: {', '.join(new[:MOST])}{_more(new)}"] if new else []
    unrecorded = tuple(person for name, person in people.items() if recorded.get(name) != person)
    return Identified(tuple(people.values()), unrecorded, names, renamed, tuple(notes))


def _recorded_as(person: Person, known: Person | None, name: str, named: bool) -> Person:
    """Return what is recorded of a person: of a roster what it says, otherwise what is recorded and, beside it, what is new."""
    if known is None:
        return replace(person, student=name)
    first, second = (person, known) if named else (known, person)
    numbers = {kind: getattr(first, kind) or getattr(second, kind) for kind in NUMBERS}
    if person.id == person.participant:  # Moodle's, in one assignment
        numbers["id"] = known.id or person.id
    own = {"student": known.student, "key": known.key, "former": known.former, "due_of": known.due_of}
    own["participant"] = person.participant or known.participant
    return _called(replace(first, **numbers, **own), name)


def _called(person: Person, name: str) -> Person:
    if name == person.student:
        return person
    former = (*(one for one in person.former if one not in (name, person.student)), person.student)
    return replace(person, student=name, key=person.known_by, former=former)


def _matches(found: Sequence[Person], recorded: Mapping[str, Person], notes: list[str]) -> dict[str, Person]:
    """Return the recorded person of each name that came, if there is one."""
    named = _named(found, recorded)
    kinds = NUMBERS if _same_numbers(found, named) else NUMBERS[:-1]
    by_number = unique((key, person) for person in recorded.values() for key in _numbers(person, kinds))
    by_value = unique((value, one) for one in recorded.values() for value in {value for _, value in _numbers(one, NUMBERS)})
    matches: dict[str, Person] = {}  # by the recorded name
    for person in found:
        numbered = next((by_number[key] for key in _numbers(person, kinds) if key in by_number), None)
        one = _the_same(person, named.get(person.student), numbered or _named_by_number(person, by_value), kinds, notes)
        if one and one.student not in matches:
            matches[one.student] = person
    return {person.student: recorded[name] for name, person in matches.items()}


def _named_by_number(person: Person, by_value: Mapping[str, Person]) -> Person | None:
    """Find whose folder is named by a number, login or e-mail, alone or beside the name, if that is all that is known of them."""
    if any(value != person.student.casefold() for _, value in _numbers(person, NUMBERS)):
        return None
    if parts := WITH_NUMBER.fullmatch(person.student):
        owner = by_value.get(parts["number"] or parts["number_first"])
        name = (parts["name"] or parts["rest"]).replace("_", " ")
        return owner if owner and name_keys(name) & name_keys(owner.student) else None
    return by_value.get(person.student.casefold())


def _named(found: Sequence[Person], recorded: Mapping[str, Person]) -> dict[str, Person]:
    """Return the recorded person of the same name for each that came: as it is written, otherwise by its letters if only one has it."""
    exact = {person.student: recorded[person.student] for person in found if person.student in recorded}
    others, theirs = (_by_name(one for one in people if one.student not in exact) for people in (recorded.values(), found))
    return {person.student: others[key] for key, person in theirs.items() if key in others} | exact


def _the_same(person: Person, named: Person | None, numbered: Person | None, kinds: Sequence[str], notes: list[str]) -> Person | None:
    if named is None or named is numbered:
        return numbered
    own = _numbers(person, kinds)
    theirs = dict(_numbers(named, kinds)) if own else {}
    differing = [kind for kind, _ in own if kind in theirs and kind != "participant"]
    if numbered is None and differing:
        kind = differing[0]
        what = f"{kind.replace('_', ' ')} is {clean(getattr(person, kind), 40)}, not {clean(getattr(named, kind), 40)} as before"
        notes.append(f"{person.student}: the {what}, so this is taken for somebody else of that name")
        return None
    if numbered and differing and len({*own} & {*_numbers(numbered, kinds)}) > 1:
        return numbered
    if numbered:
        notes.append(f"{person.student}: a number, login or e-mail was {numbered.student}'s before, but the name counts")
    return named


def _numbers(person: Person, kinds: Sequence[str]) -> list[tuple[str, str]]:
    own = [(kind, value.casefold()) for kind in (*kinds, "participant") if (value := getattr(person, kind))]
    if own and person.id == person.participant:  # Moodle's, in one assignment
        own = [(kind, value) for kind, value in own if kind != "id"]
    return [*own, *(("email", one.casefold()) for one in person.aliases if one)] if person.aliases else own


def _by_name(people: Iterable[Person]) -> dict[str, Person]:
    return unique((key, person) for person in people for key in name_keys(person.student))


def _same_numbers(found: Sequence[Person], named: Mapping[str, Person]) -> bool:
    """Whether a platform numbers the students as before: Moodle does it anew for each assignment."""
    pairs = [(one.id, other.id) for one in found if one.id and (other := named.get(one.student)) and other.id]
    return len(pairs) < 2 or any(first == second for first, second in pairs)


def _free(person: Person, taken: Collection[str]) -> str:
    """Return a name for a person that nobody else has: with a number, login or e-mail after it if need be."""
    if person.student not in taken:
        return person.student
    plain = _MARK.sub("", person.student)
    hashes = (hashlib.sha256(f"{person.known_by} {number}".encode()).hexdigest()[:8] for number in range(len(taken) + 1))
    return next(name for mark in (*_marks(person), *hashes) if (name := f"{plain} ({mark})") not in taken)


# ---- who is meant


def find_student(word: str, names: Iterable[str], people: Mapping[str, Person], where: str = "was graded here",
                 fix: str = "use the name in grades.csv") -> str:  # fmt: skip
    """Find a student by name, number, login or e-mail. Raise `UsageError` with those who may be meant, or otherwise the `fix`."""
    graded = set(names)
    told = {name for name in graded if name.casefold() == word.casefold()} | {name for name in _owners(word, people) if name in graded}
    if word in graded or len(told) == 1:
        return word if word in graded else told.pop()
    keys = name_keys(word)
    meant = sorted(name for name in graded if keys & name_keys(name))
    if len(meant) > 1:
        raise UsageError(f"several students are called `{clean(word, 60)}`", f"choose one of: {listed(meant, people)}")
    known = known_as(people).get(word.casefold())  # perhaps a former name
    if meant or known in graded:
        return meant[0] if meant else str(known)
    similar = similar_to(word, graded, people)
    raise UsageError(f"no student `{word}` {where}", f"did you mean {similar}?" if similar else fix)


def _owners(word: str, people: Mapping[str, Person]) -> list[str]:
    """Return who has a number, login or e-mail."""
    return [one.student for one in people.values() if word.casefold() in {value for _, value in _numbers(one, NUMBERS)}]


def similar_to(word: str, names: Collection[str], people: Mapping[str, Person]) -> str:
    """Return who may be meant by a word, or "": everybody of this name, first or last name, otherwise whose name is most like it."""
    parts = set(word.casefold().split())
    namesakes = sorted(name for name in names if parts and parts <= set(_plain(name).replace(",", " ").split()))
    if namesakes:
        return listed(namesakes, people)
    known = {name.casefold(): name for name in sorted(names)} | {key: name for key, name in known_as(people).items() if name in names}
    near = known if len(known) <= FEW else [key for key in known if key[:2] == word.casefold()[:2]]
    close = list(dict.fromkeys(known[key] for key in get_close_matches(word.casefold(), near, n=3, cutoff=0.5)))
    shared = [name for name in sorted(names) if close and _plain(name) == _plain(close[0])]
    return listed(shared, people) if len(shared) > 1 else ", ".join(clean(name, 60) for name in close)


def former_name(word: str, student: str, people: Mapping[str, Person]) -> bool:
    """Whether a word is a name that a student had, and that others have now."""
    shared = [one for one in people.values() if _plain(one.student) == word.casefold()]
    return word.casefold() in map(str.casefold, people[student].former) and len(shared) > 1


def _plain(name: str) -> str:
    """Return a name without the number that namesakes have after it."""
    return _MARK.sub("", name).casefold()


def listed(names: Iterable[str], people: Mapping[str, Person]) -> str:
    """List students with what tells them from one another."""
    shown = [" ".join(filter(None, (clean(name, 60), _told(people.get(name))))) for name in names]
    return f"{'; '.join(shown[:MOST])}{_more(shown)}"


def _more(listed: Sequence[str]) -> str:
    return f" and {len(listed) - MOST} more" if len(listed) > MOST else ""


def _told(person: Person | None) -> str:
    values = dict.fromkeys(clean(mark, 60) for mark in _marks(person)) if person else {}
    return f"[{', '.join(values)}]" if values else ""


def _marks(person: Person) -> list[str]:
    """Return what tells a person from namesakes, the platform's number first."""
    return [mark for kind in ("id", "school_id", "login", "email") if (mark := getattr(person, kind))]
