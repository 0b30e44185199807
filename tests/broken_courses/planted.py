"""Misconceptions that authors make, planted in the tiny course: the edit, and all that the linter says of it.

An edit is a file with the text to replace and the text to put there. Where the old text is None the file is removed or,
with a new text, written whole.
"""

from typing import NamedTuple

TEXT = "lessons/13_adding/lesson.md"
CARDS = "lessons/13_adding/flashcards.yaml"
ASKED = "exercises/13_adding/practice.yaml"
STARTER = "exercises/13_adding/sums.py"
ANSWERS = "solutions/13_adding/practice.yaml"
CHECKS = "exercises/13_adding/checks/sums.py"
HINTS = "exercises/13_adding/hints.yaml"
MISCONCEPTIONS = "solutions/13_adding/misconceptions/sums.py"


class Planted(NamedTuple):
    """A misconception: its edits, the rules that find it, and the full text of what they say."""

    edits: list[tuple[str, str | None, str | bytes | None]]
    rules: list[str]
    told: str


PLANTED = {
    "unknown_key": Planted(
        [
            (ASKED, "  detects: [taken_away, second_forgotten]", "  detect: [taken_away, second_forgotten]"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:15: question `fresh-sum`: there is no key `detect`
  fix: did you mean `detects`?
""",
    ),
    "repeated_key": Planted(
        [
            (ASKED, "  points: 2\n  core: true", "  points: 2\n  points: 3"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:6: the key `points` is here and on line 5
  fix: keep one of them: YAML would silently take the last
""",
    ),
    "repeated_id": Planted(
        [
            (CARDS, "- id: carry", '- id: sum\n  cloze: "{{c1::Again}}."\n  objective: add\n  section: carrying\n- id: carry'),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:7: card `sum` is here and on line 1
  fix: give one of them another id
""",
    ),
    "small_number_that_loads_as_text": Planted(
        [
            (ASKED, "tolerance: 0.002", "tolerance: 2e-3"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:14: `2e-3` is a number to some readers of YAML and text to others
  fix: write 2.0e-3
""",
    ),
    "number_that_begins_with_zero": Planted(
        [
            (ASKED, "tolerance: 0.002", "tolerance: 08"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:14: `08` is a number to some readers of YAML and text to others
  fix: write 8.0
""",
    ),
    "no_that_loads_as_false": Planted(
        [
            (ASKED, "{id: habit,", "{id: no,"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:23: `no` is text to some readers of YAML and a truth value to others
  fix: write true or false, or "no" for the text
""",
    ),
    "minutes_that_load_as_sixty": Planted(
        [
            (TEXT, "minutes: 1", "minutes: 1:00"),
        ],
        ["content"],
        """\
lessons/13_adding/lesson.md:4: `1:00` is read in different ways by readers of YAML
  fix: write "1:00" for the text, or the number plainly
""",
    ),
    "octal_number": Planted(
        [
            (TEXT, "number: 13", "number: 013"),
        ],
        ["content"],
        """\
lessons/13_adding/lesson.md:3: `013` is read in different ways by readers of YAML
  fix: write "013" for the text, or the number plainly
""",
    ),
    "alias": Planted(
        [
            (ASKED, "a: {published: 0.5,", "a: &a {published: 0.5,"),
            (ASKED, "a: {published: 3, low: 1, high: 9, step: 1}", "a: *a"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:9: `&a` names this place
  fix: write values out: anchors are not read
exercises/13_adding/practice.yaml:51: `*a` repeats another place
  fix: write the value out: aliases are not read
""",
    ),
    "merged_mapping": Planted(
        [
            (ASKED, "{id: habit, text: Out of habit.}", "{<<: {id: habit}, text: Out of habit.}"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:23: `<<` merges another mapping
  fix: write the keys out: merging is not read
exercises/13_adding/practice.yaml:23: question `why-carry`: `choices`, item 2: `id` is missing
  fix: add `id: ...`
""",
    ),
    "not_yaml": Planted(
        [
            (CARDS, 'front: "What is $a + b$?"', "front: What is: a"),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:2: this is not YAML: mapping values are not allowed in this context
  fix: look at this line and the one above: a missing space after `:`, a quote or bracket left open, or an indent that is off
""",
    ),
    "missing_key": Planted(
        [
            (ASKED, "  kind: number\n  objective: add\n  section: what-a-sum-is\n  points: 2", "  objective: add\n  section: what-a-sum-is\n  points: 2"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: `kind` is missing
  fix: add `kind: ...`
""",
    ),
    "wrong_type": Planted(
        [
            (ASKED, "  points: 2\n", "  points: two\n"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:5: question `fresh-sum`: `points` should be a number, and is the text `two`
  fix: write a number
exercises/13_adding/practice.yaml:64: question `even`: `points` should be a number, and is the text `two`
  fix: write a number
""",
    ),
    "text_that_loads_as_a_number": Planted(
        [
            (ASKED, 'text: "2"', "text: 2"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:67: choice `two`: `text` should be text, and is the number 2
  fix: put it in quotes
""",
    ),
    "empty_value": Planted(
        [
            (ASKED, "text: Why do we carry?", "text:"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:20: question `why-carry`: `text` is empty
  fix: write text, or remove the key
""",
    ),
    "unknown_kind": Planted(
        [
            (ASKED, "kind: order", "kind: sequence"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:25: question `by-hand`: `kind` is the text `sequence`
  fix: write one of number, choice, order, match, parts
""",
    ),
    "capitals_in_an_id": Planted(
        [
            (CARDS, "id: carry", "id: Carry"),
            (ANSWERS, "card: carry", "card: Carry"),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:7: card `Carry`: an id is made of small letters, digits and hyphens
  fix: rename it, like `a-short-name`
""",
    ),
    "unknown_objective": Planted(
        [
            (CARDS, "objective: add\n  section: carrying", "objective: ad\n  section: carrying"),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:9: card `carry`: there is no objective `ad`
  fix: did you mean `add`?
""",
    ),
    "unknown_section": Planted(
        [
            (ASKED, "section: carrying\n  text: Put", "section: carying\n  text: Put"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:27: question `by-hand`: there is no section `carying`
  fix: did you mean `carrying`?
""",
    ),
    "unknown_card": Planted(
        [
            (ANSWERS, "card: carry", "card: cary"),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:8: question `why-carry`, `habit`: there is no card `cary`
  fix: did you mean `carry`?
""",
    ),
    "card_without_a_back": Planted(
        [
            (CARDS, "  back: The sum of a and b.\n", ""),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:1: card `sum` needs a front and a back, or only a cloze
  fix: write one or the other
""",
    ),
    "cloze_that_hides_nothing": Planted(
        [
            (CARDS, "{{c1::ten}}", "ten"),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml:8: card `carry`: the cloze hides nothing
  fix: mark what is hidden, like {{c1::this}}
""",
    ),
    "unknown_number": Planted(
        [
            (ASKED, "What is [[a]] + [[b]]?", "What is [[a]] + [[c]]?"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:7: question `fresh-sum`: there is no number `c`
  fix: add it to `numbers`
""",
    ),
    "unknown_argument": Planted(
        [
            (ASKED, "arguments: [a, b]", "arguments: [a, bb]"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:12: question `fresh-sum`: there is no number `bb`
  fix: did you mean `b`?
""",
    ),
    "empty_grid": Planted(
        [
            (ASKED, "high: 0.95, step: 0.03", "high: 0.95, step: 0"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:10: question `fresh-sum`: number `b` has no grid
  fix: give a low below the high, and a step above 0
""",
    ),
    "key_of_another_kind": Planted(
        [
            (ASKED, "  kind: order\n", "  kind: order\n  several: true\n"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:26: question `by-hand`: `several` belongs to another kind of question, not to an order
  fix: remove it
""",
    ),
    "unknown_exercise": Planted(
        [
            (ASKED, "computes: sums.total\n  arguments: [a, b]", "computes: sum.total\n  arguments: [a, b]"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:11: question `fresh-sum`: there is no exercise `sum`
  fix: did you mean `sums`?
""",
    ),
    "answer_to_no_question": Planted(
        [
            (ANSWERS, "why-carry:", "why-cary:"),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:1: question `why-carry` has no answer here
  fix: add `why-carry:` with what is right
solutions/13_adding/practice.yaml:5: there is no question `why-cary`
  fix: did you mean `why-carry`?
""",
    ),
    "right_choice_that_does_not_exist": Planted(
        [
            (ANSWERS, "right: place", "right: plaice"),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:6: question `why-carry`: there is no choice `plaice`
  fix: did you mean `place`?
""",
    ),
    "order_with_a_choice_left_out": Planted(
        [
            (ANSWERS, "right: [ones, carry, tens]", "right: [ones, tens]"),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:10: question `by-hand`: `right` should hold each choice once
  fix: put carry, ones, tens in order
""",
    ),
    "order_not_wrong": Planted(
        [
            (ANSWERS, "carry>ones:", "ones>carry:"),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:12: question `by-hand`: `ones>carry` is not a wrong answer
  fix: did you mean `carry>ones`?
""",
    ),
    "number_question_without_a_formula": Planted(
        [
            (ASKED, "  computes: sums.total\n  arguments: [a, b]\n", ""),
            (ANSWERS, 'fresh-sum:\n  working:\n    - "Add [[b]] to [[a]]."\n    - "[[a]] + ([[b]]) = [[= total(a, b) :.3f]]"\n', ""),
        ],
        ["content"],
        """\
solutions/13_adding/practice.yaml:1: question `fresh-sum` has no answer here
  fix: add `fresh-sum:` with `computes:`, a formula of its numbers
""",
    ),
    "formula_where_the_question_is": Planted(
        [
            (ASKED, "  computes: sums.total\n  arguments: [a, b]\n", '  computes: "a + b / 1.0"\n'),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:11: question `fresh-sum`: `a + b / 1.0` names no function
  fix: write EXERCISE.FUNCTION, like sums.total, or a formula as `computes` in solutions/13_adding/practice.yaml
""",
    ),
    "misconception_without_an_id": Planted(
        [
            (ANSWERS, "misconception: taken_away", "misconception: habit"),
        ],
        ["misconception-cards"],
        """\
solutions/13_adding/practice.yaml:5: question `why-carry`: there is no misconception `habit`, and no card has it as a tag
  fix: write its function, or a card with this tag
""",
    ),
    "missing_checks": Planted(
        [
            ("exercises/13_adding/checks/sums.py", None, None),
        ],
        ["content"],
        """\
exercises/13_adding/checks/sums.py: exercise `sums` has no checks
  fix: create this file
""",
    ),
    "folder_not_named_like_a_lesson": Planted(
        [
            ("lessons/14-more/lesson.md", None, ""),
        ],
        ["content"],
        """\
lessons/14-more: this folder is not named like a lesson
  fix: name it with two digits and small letters, like `01_first_lesson`
""",
    ),
    "heading_without_an_id": Planted(
        [
            (TEXT, "## Carrying {#carrying}", "## Carrying"),
            (CARDS, "section: carrying", "section: what-a-sum-is"),
            (ASKED, "section: carrying", "section: what-a-sum-is"),
            (TEXT, "(#carrying)", "(#what-a-sum-is)"),
        ],
        ["content"],
        """\
lessons/13_adding/lesson.md:28: the section `Carrying` has no id
  fix: end the heading with an id, like `{#a-short-name}`
""",
    ),
    "number_that_is_not_the_folders": Planted(
        [
            (TEXT, "number: 13", "number: 12"),
        ],
        ["content"],
        """\
lessons/13_adding/lesson.md:3: `number` is 12, and the folder is `13_adding`
  fix: write 13, or rename the three folders
""",
    ),
    "computed_number_out_of_date": Planted(
        [
            (TEXT, "2.833<!--", "2.834<!--"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:17: the text says 2.834, and `total(2.5, 1 / 3)` is 2.833
  fix: write 2.833, or mend the expression
""",
    ),
    "measured_number_out_of_date": Planted(
        [
            (TEXT, "0.125<!--", "0.13<!--"),
            ("solutions/adding/weights/timing.json", "0.1251", "0.1461"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:18: the text says 0.13, and `measured("timing.json", "seconds")` is 0.15
  fix: write 0.15, or mend the expression
""",
    ),
    "expression_that_fails": Planted(
        [
            (TEXT, "total(2.5, 1 / 3) -->", "totl(2.5, 1 / 3) -->"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:17: `totl(2.5, 1 / 3)` fails with NameError: name 'totl' is not defined
  fix: fix it, or add the function's module to `reference`
""",
    ),
    "expression_without_a_number": Planted(
        [
            (TEXT, "make 2.833<!--", "make much<!--"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:17: this expression has no number in front of it
  fix: write the number right before it
""",
    ),
    "text_that_takes_longer_than_it_says": Planted(
        [
            (TEXT, "## Carrying {#carrying}\n", "## Carrying {#carrying}\n\n" + "Carry the one. " * 150 + "\n"),
        ],
        ["text-length"],
        """\
lessons/13_adding/lesson.md: the main text takes 2.5 minutes (495 words, 0 displayed formulas, 1 figure), and `minutes` is 1
  fix: write `minutes: 2`, or move what is looked up into an appendix: `## Title {#id .appendix}`
""",
    ),
    "text_that_is_no_short_lesson": Planted(
        [
            (TEXT, "minutes: 1\n", "minutes: 5\n"),
            (TEXT, "## Carrying {#carrying}\n", "## Carrying {#carrying}\n\n" + "$$1 + 1 = 2$$\n\n" * 12),
        ],
        ["text-length"],
        """\
lessons/13_adding/lesson.md: the main text has 45 words, 12 displayed formulas, 1 figure; at most 2900 words and 9 formulas are a short lesson
  fix: move what is looked up into an appendix: `## Title {#id .appendix}`
""",
    ),
    "claim_without_a_source": Planted(
        [
            (TEXT, "## Carrying {#carrying}\n", "## Carrying {#carrying}\n\nCarrying was printed first\nin 1489, by Widmann.\n\n"
             "Sums were added by machines in 1642.\n\nThe machine\nof 1820<!-- source: the museum's page --> was sold.\n"),
        ],
        ["text-sources"],
        """\
lessons/13_adding/lesson.md:30: `in 1489` has no source
  fix: add a comment to this paragraph, item or row: `<!-- source: where it is said -->`
lessons/13_adding/lesson.md:33: `in 1642` has no source
  fix: add a comment to this paragraph, item or row: `<!-- source: where it is said -->`
""",
    ),
    "number_that_nothing_computes": Planted(
        [
            (TEXT, "## Carrying {#carrying}\n", "## Carrying {#carrying}\n\nPi is about 3.14159.\n"),
        ],
        ["text-bare-numbers"],
        """\
lessons/13_adding/lesson.md:30: nothing computes 3.14159
  fix: write 3.14159<!--= EXPRESSION -->, or round it to two digits
""",
    ),
    "table_out_of_date": Planted(
        [
            (TEXT, "| 2 | 2.333 | even |", "| 2 | 2.334 | odd |"),
        ],
        ["text-tables"],
        """\
lessons/13_adding/lesson.md:34: the cell says 2.334, but the computed value is 2.333
  fix: write 2.333
lessons/13_adding/lesson.md:34: the cell says odd, but the computed value is even
  fix: write even
""",
    ),
    "table_with_a_row_left_out": Planted(
        [
            (TEXT, "| 2 | 2.333 | even |\n", ""),
        ],
        ["text-tables"],
        """\
lessons/13_adding/lesson.md:33: rows of the table: 1, and of `[[n, total(n, 1 / 3), "odd" if n % 2 else "even"] for n in (1, 2)]`: 2
  fix: write them all
""",
    ),
    "module_that_does_not_exist": Planted(
        [
            (TEXT, "reference: [solutions.adding.sums]", "reference: [solutions.adding.sum]"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:1: `reference` names `solutions.adding.sum`, and there is no such module
  fix: name modules that exist, like solutions.PACKAGE.MODULE
""",
    ),
    "picture_without_alt_text": Planted(
        [
            (TEXT, "![Two bars, and one as long as both]", "![]"),
        ],
        ["text-images"],
        """\
lessons/13_adding/lesson.md:26: the image `figures/bars-light.svg` has no alt text
  fix: describe in the brackets what it shows
""",
    ),
    "picture_missing_in_the_dark": Planted(
        [
            ("lessons/13_adding/figures/bars-dark.svg", None, None),
        ],
        ["text-images"],
        """\
lessons/13_adding/lesson.md:26: there is no image `figures/bars-dark.svg`
  fix: draw it with the reference implementation's `figures`
""",
    ),
    "widget_that_is_not_there": Planted(
        [
            (TEXT, "# Adding\n", "# Adding\n\n<!-- widget: abacus -->\n"),
        ],
        ["text-widgets"],
        """\
lessons/13_adding/lesson.md:15: there is no widget `abacus`
  fix: describe it in widgets/widgets.yaml, or remove this line
""",
    ),
    "widget_that_stands_nowhere": Planted(
        [
            ("lessons/13_adding/widgets/widgets.yaml", None, "abacus: {title: An abacus, about: Move it., script: abacus.js}\n"),
            ("lessons/13_adding/widgets/abacus.js", None, "course.provide({ mount() {} });\n"),
        ],
        ["text-widgets"],
        """\
lessons/13_adding/lesson.md: the widget `abacus` is not placed in the text
  fix: add a line `<!-- widget: abacus -->` where it belongs
""",
    ),
    "widget_without_its_module": Planted(
        [
            ("lessons/13_adding/widgets/widgets.yaml", None, "abacus: {title: An abacus, about: Move it., script: abacus.js}\n"),
            (TEXT, "# Adding\n", "# Adding\n\n<!-- widget: abacus -->\n"),
        ],
        ["text-widgets"],
        """\
lessons/13_adding/widgets/widgets.yaml:1: widget `abacus`: there is no script `abacus.js`
  fix: create it here, or correct its name
""",
    ),
    "widget_with_a_picture_that_is_not_there": Planted(
        [
            ("lessons/13_adding/widgets/widgets.yaml", None, 'abacus: {title: An abacus, about: Move it., script: abacus.js, figure: "![](figures/abacus-light.svg)"}\n'),
            ("lessons/13_adding/widgets/abacus.js", None, "course.provide({ mount() {} });\n"),
            (TEXT, "# Adding\n", "# Adding\n\n<!-- widget: abacus -->\n"),
        ],
        ["widget-images"],
        """\
lessons/13_adding/widgets/widgets.yaml: widget `abacus`: the image `figures/abacus-light.svg` has no alt text
  fix: describe in the brackets what it shows
lessons/13_adding/widgets/widgets.yaml: widget `abacus`: there is no image `figures/abacus-light.svg`
  fix: name a file of `figures/`
lessons/13_adding/widgets/widgets.yaml: widget `abacus`: there is no image `figures/abacus-dark.svg`
  fix: name a file of `figures/`
""",
    ),
    "symbol_and_term_that_do_not_occur": Planted(
        [
            ("lessons/13_adding/glossary.yaml", None, "$a$: {means: A number., section: carrying}\n$z$: {means: A sum., section: carrying}\nzebra: {means: An animal., section: carrying}\n"),
        ],
        ["text-glossary"],
        """\
lessons/13_adding/glossary.yaml:2: `$z$` does not occur in the text
  fix: write it as the text does, or remove it
lessons/13_adding/glossary.yaml:3: `zebra` does not occur in the text
  fix: write it as the text does, or remove it
""",
    ),
    "term_of_no_section": Planted(
        [
            ("lessons/13_adding/glossary.yaml", None, "carry: {means: What goes to the next place., section: carying}\n"),
        ],
        ["text-glossary"],
        """\
lessons/13_adding/glossary.yaml:1: `carry`: there is no section `carying`
  fix: did you mean `carrying`?
""",
    ),
    "mistake_that_is_not_shown_and_one_that_is_not_warned_of": Planted(
        [
            ("lessons/13_adding/mistakes.yaml", None, "taken_awy: {writes: a - b, looks: It is 2.16<!--= 2.5 - 1 / 3 --> and 0.333.}\n"),
        ],
        ["text-mistakes"],
        """\
lessons/13_adding/lesson.md:17: mistakes.yaml does not show `taken_away`
  fix: add it there: what one `writes` or `says`, and how that `looks`
lessons/13_adding/mistakes.yaml:1: the text does not warn of `taken_awy`
  fix: did you mean `taken_away`?
lessons/13_adding/mistakes.yaml:1: the text says 2.16, and `2.5 - 1 / 3` is 2.17
  fix: write 2.17, or mend the expression
lessons/13_adding/mistakes.yaml:1: nothing computes 0.333
  fix: write 0.333<!--= EXPRESSION -->, or round it to two digits
""",
    ),
    "mistake_whose_image_is_missing": Planted(
        [
            (
                "lessons/13_adding/mistakes.yaml",
                None,
                "taken_away:\n  writes: a - b\n  looks: It is less.\n  images: '![Bars.](figures/bars-light.svg#left) ![](figures/bar.svg)'\n",
            ),
        ],
        ["text-mistakes"],
        """\
lessons/13_adding/mistakes.yaml:1: `taken_away`: the image `figures/bars-light.svg` has no view `left`
  fix: name one that it has, or all of the image
lessons/13_adding/mistakes.yaml:1: `taken_away`: the image `figures/bars-dark.svg` has no view `left`
  fix: name one that it has, or all of the image
lessons/13_adding/mistakes.yaml:1: `taken_away`: the image `figures/bar.svg` has no alt text
  fix: describe in the brackets what it shows
lessons/13_adding/mistakes.yaml:1: `taken_away`: there is no image `figures/bar.svg`
  fix: name a file of `figures/`
""",
    ),
    "mistake_that_nobody_makes": Planted(
        [
            ("lessons/13_adding/mistakes.yaml", None, "taken_away: {looks: It is less.}\nboth: {writes: a - b, says: It is less., looks: Less.}\ncode: {writes: a -, looks: Less.}\n"),
        ],
        ["text-mistakes"],
        """\
lessons/13_adding/mistakes.yaml:1: `taken_away` has neither `writes` nor `says`
  fix: give one: the line that one writes, or the words that one says
lessons/13_adding/mistakes.yaml:2: `both` has both `writes` and `says`
  fix: give one: the line that one writes, or the words that one says
lessons/13_adding/mistakes.yaml:3: `code`: what one writes is no line of Python: invalid syntax
  fix: correct it, or give the words that one `says`
""",
    ),
    "code_that_does_not_run": Planted(
        [
            (TEXT, "\n## Carrying", "\n```python\na = 2\n```\n\n```python\ntotal = a + b\n```\n\n## Carrying"),
        ],
        ["text-code"],
        """\
lessons/13_adding/lesson.md:33: this code does not run: NameError: name 'b' is not defined
  fix: correct this line
""",
    ),
    "link_to_no_section": Planted(
        [
            (TEXT, "](#carrying)", "](#carryin)"),
        ],
        ["text-links"],
        """\
lessons/13_adding/lesson.md:18: there is no section `carryin`
  fix: did you mean `carrying`?
""",
    ),
    "warning_of_a_misconception_that_nothing_shows": Planted(
        [
            (TEXT, "misconception: taken_away", "misconception: taken_away, takn_away, sums_never_end"),
        ],
        ["text-warnings"],
        """\
lessons/13_adding/lesson.md:17: no student can meet the misconception `takn_away`
  fix: did you mean `taken_away`?
lessons/13_adding/lesson.md:17: no student can meet the misconception `sums_never_end`
  fix: write its function, or a wrong choice that names it
""",
    ),
    "folded_text_without_a_question": Planted(
        [
            (TEXT, "<summary>Predict first: is", "<summary>Is"),
        ],
        ["text-predictions"],
        """\
lessons/13_adding/lesson.md:20: this folded answer has no question
  fix: continue with <summary>Predict first: ...</summary>
""",
    ),
    "folded_text_never_closed": Planted(
        [
            (TEXT, "</details>\n", ""),
        ],
        ["text-predictions"],
        """\
lessons/13_adding/lesson.md:20: this answer is never closed
  fix: end it with </details>
""",
    ),
    "prediction_with_no_right_choice": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "- [ ] Yes.\n- [ ] No.\n\nIt is not."),
        ],
        ["text-predictions"],
        """\
lessons/13_adding/lesson.md:20: no choice of this prediction is right
  fix: tick those that are right, and no others: - [x] ...
""",
    ),
    "prediction_with_nothing_but_right_choices": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "- [x] Yes.\n- [x] No."),
        ],
        ["text-predictions"],
        """\
lessons/13_adding/lesson.md:20: every choice of this prediction is right
  fix: tick those that are right, and no others: - [x] ...
""",
    ),
    "prediction_outside_its_range": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5** from 6 to 9\n\nNo."),
        ],
        ["text-predictions"],
        """\
lessons/13_adding/lesson.md:20: 5 is not from 6 to 9
  fix: write the smaller end first, and the number between both
""",
    ),
    "curve_in_two_parts": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5** from 0 to 9\n<!-- curve: sums; 0 9 -->\n\nNo."),
        ],
        ["text-curves"],
        """\
lessons/13_adding/lesson.md:23: this curve has not three parts
  fix: write <!-- curve: what it is; EXPRESSION; its numbers -->
""",
    ),
    "curve_of_no_range": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5**\n<!-- curve: sums; [0, 9]; 0 9 -->\n\nNo."),
        ],
        ["text-curves"],
        """\
lessons/13_adding/lesson.md:23: this curve is of no prediction
  fix: write it after a number and its range: **5** from 0 to 10
""",
    ),
    "curve_of_one_number": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5** from 0 to 9\n<!-- curve: sums; [9]; 9 -->\n\nNo."),
        ],
        ["text-curves"],
        """\
lessons/13_adding/lesson.md:23: `[9]` is no list of numbers
  fix: write an expression that gives two or more
""",
    ),
    "curve_that_is_another": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5** from 0 to 9\n<!-- curve: sums; [0, 1 / 3]; 0 0.34 -->\n\nNo."),
        ],
        ["text-curves"],
        """\
lessons/13_adding/lesson.md:23: `[0, 1 / 3]` gives other numbers
  fix: write 0.00 0.33
""",
    ),
    "curve_of_unknown_numbers": Planted(
        [
            (TEXT, "No: $a + b = b + a$.", "**5** from 0 to 9\n<!-- curve: sums; sum_of(2); 0 9 -->\n\nNo."),
        ],
        ["text-curves"],
        """\
lessons/13_adding/lesson.md:23: `sum_of(2)` fails with NameError: name 'sum_of' is not defined
  fix: fix it, or add the function's module to `reference`
""",
    ),
    "formula_never_closed": Planted(
        [
            (TEXT, "$a + b = b + a$", "$a + b = b + a"),
        ],
        ["formulas"],
        """\
lessons/13_adding/lesson.md:22: in this paragraph a `$` has no partner
  fix: close every formula and every brace
""",
    ),
    "brace_never_closed": Planted(
        [
            (CARDS, '$a + b$?"', '$\\\\frac{a}{b$?"'),
        ],
        ["formulas"],
        """\
lessons/13_adding/flashcards.yaml:1: card `sum`: braces are left open in `$\\frac{a}{b$`
  fix: close every formula and every brace
""",
    ),
    "misconception_of_a_choice_without_a_card": Planted(
        [
            (ANSWERS, "misconception: taken_away", "misconception: take_away"),
        ],
        ["misconception-cards"],
        """\
solutions/13_adding/practice.yaml:5: question `why-carry`: there is no misconception `take_away`, and no card has it as a tag
  fix: did you mean `taken_away`?
""",
    ),
    "card_asked_twice": Planted(
        [
            (CARDS, "- id: carry\n", '- id: same\n  front: "What is $a + b$?"\n  back: A sum.\n  objective: add\n  section: carrying\n- id: carry\n'),
        ],
        ["card-fronts"],
        """\
lessons/13_adding/flashcards.yaml:7: card `same` asks the same as card `sum`
  fix: ask for one thing on each card, or remove one
""",
    ),
    "card_with_a_picture_that_is_not_there": Planted(
        [
            (CARDS, "What is $a + b$?", "![](figures/sum.svg) What is $a + b$?"),
        ],
        ["card-images"],
        """\
lessons/13_adding/flashcards.yaml:1: card `sum`: the image `figures/sum.svg` has no alt text
  fix: describe in the brackets what it shows
lessons/13_adding/flashcards.yaml:1: card `sum`: there is no image `figures/sum.svg`
  fix: name a file of `figures/`
""",
    ),
    "misconception_that_does_not_exist": Planted(
        [
            (ASKED, "detects: [taken_away, second_forgotten]", "detects: [taken_away, first_forgotten]"),
        ],
        ["question-functions"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: `total` has no misconception `first_forgotten`
  fix: take one of taken_away, second_forgotten
""",
    ),
    "function_that_does_not_exist": Planted(
        [
            (ASKED, "computes: sums.total\n  arguments: [a, b]", "computes: sums.totals\n  arguments: [a, b]"),
        ],
        ["question-functions"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: there is no function `totals` in solutions/13_adding/sums.py
  fix: write it, or fix `computes`
""",
    ),
    "misconception_that_answers_right": Planted(
        [
            (ASKED, "b: {published: 0.29,", "b: {published: 0,"),
        ],
        ["question-published"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: misconception `taken_away` answers 0.500, as the reference does
  fix: choose numbers that distinguish them, or drop it from `detects`
exercises/13_adding/practice.yaml:1: question `fresh-sum`: misconception `second_forgotten` answers 0.500, as the reference does
  fix: choose numbers that distinguish them, or drop it from `detects`
exercises/13_adding/practice.yaml:1: question `fresh-sum`: misconceptions `taken_away` and `second_forgotten` both answer 0.500
  fix: choose numbers that distinguish them, or drop it from `detects`
""",
    ),
    "misconceptions_that_answer_the_same": Planted(
        [
            (MISCONCEPTIONS, "    return a\n", "    return a - b\n"),
        ],
        ["question-published", "check-misconceptions"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: misconceptions `taken_away` and `second_forgotten` both answer 0.210
  fix: choose numbers that distinguish them, or drop it from `detects`
solutions/13_adding/misconceptions/sums.py:6: misconception `taken_away` is not recognised as itself
  fix: add a call where it differs from the reference and the other misconceptions by ten tolerances, or drop it
solutions/13_adding/misconceptions/sums.py:12: misconception `second_forgotten` is not recognised as itself
  fix: add a call where it differs from the reference and the other misconceptions by ten tolerances, or drop it
""",
    ),
    "check_that_the_answer_fails": Planted(
        [
            (CHECKS, "reference.total(1.5, 2.25)", "4.0"),
        ],
        ["check-answers"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand` fails on the course's own answer: gave 3.75 where 4 was expected
  fix: mend the check or the answer
""",
    ),
    "starter_that_passes": Planted(
        [
            (STARTER, 'raise NotImplementedError("your turn")', "return a + b"),
        ],
        ["check-starters"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand` is passed by the untouched starter
  fix: make it require what the student has to write
""",
    ),
    "misconception_that_no_check_sees": Planted(
        [
            (CHECKS, "student.total(1.5, 2.25), reference.total(1.5, 2.25)", "student.total(1.5, 0.0), reference.total(1.5, 0.0)"),
        ],
        ["check-misconceptions"],
        """\
solutions/13_adding/misconceptions/sums.py:6: misconception `taken_away` passes every check
  fix: add numbers that show it
solutions/13_adding/misconceptions/sums.py:12: misconception `second_forgotten` passes every check
  fix: add numbers that show it
""",
    ),
    "answer_sent_before_it_is_asked": Planted(
        [
            (CHECKS, "from autograder.api", "import numpy as np\n\nfrom autograder.api"),
            (
                CHECKS,
                "    close(",
                "    a, b = np.array([1.5, 2.5]), np.array([3.0, 7.0])\n    close(student.total(a + b, b), reference.total(a + b, b))\n"
                "    close(student.total(a, b), reference.total(a, b))\n    close(",
            ),
        ],
        ["check-crossing"],
        """\
exercises/13_adding/checks/sums.py:8: check `by_hand` expects `total` to return a value that was already sent as an argument
  fix: draw a fresh argument, or swap the order of the calls
""",
    ),
    "reference_given_the_students_value": Planted(
        [
            (CHECKS, "    close(", "    x = student.total(0.5, 1.0)\n    close(x, reference.total(x, 0.0))\n    close("),
        ],
        ["check-references"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand` passes the student's values to the reference
  fix: call the reference with the check's own numbers
""",
    ),
    "variants_that_cannot_be_told_apart": Planted(
        [
            (ASKED, "low: 0.05, high: 0.95, step: 0.03", "low: 0.001, high: 0.004, step: 0.001"),
        ],
        ["question-variants"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: in 1000 draws, no numbers distinguished all of its misconceptions
  fix: widen the ranges of its numbers, or drop one of `detects`
""",
    ),
    "working_that_ends_elsewhere": Planted(
        [
            (ANSWERS, "[[= total(a, b) :.3f]]", "[[= total(a, 1) :.3f]]"),
        ],
        ["question-workings"],
        """\
solutions/13_adding/practice.yaml:1: question `fresh-sum`: the working ends in `0.5 + (0.29) = 1.500`, and the answer is 0.790
  fix: end the last line with the number, to 3 decimals
""",
    ),
    "working_that_fails": Planted(
        [
            (ANSWERS, "[[= total(a, b) :.3f]]", "[[= a + c :.3f]]"),
        ],
        ["question-workings"],
        """\
solutions/13_adding/practice.yaml:1: question `fresh-sum`: in the working `a + c` fails with NameError: name 'c' is not defined
  fix: correct the expression
""",
    ),
    "no_working": Planted(
        [
            (ANSWERS, '      working: ["[[a]] + 2 = [[= a + 2 :.1f]]"]\n', "      working: []\n"),
        ],
        ["question-workings"],
        """\
solutions/13_adding/practice.yaml:19: question `both-ways`, part `forth` has no working
  fix: add `working:`, line by line down to the answer
""",
    ),
    "wrong_choice_without_a_sentence": Planted(
        [
            (ANSWERS, "        five: {sentence: Five leaves one over.}\n", ""),
        ],
        ["question-sentences"],
        """\
solutions/13_adding/practice.yaml:21: question `both-ways`, part `even`: the wrong choice `five` has no sentence
  fix: add `five: {sentence: ...}` to `wrong`
""",
    ),
    "two_wrong_choices_told_the_same": Planted(
        [
            (ANSWERS, "Four is twice two.", "Five leaves one over."),
        ],
        ["question-sentences"],
        """\
solutions/13_adding/practice.yaml:21: question `both-ways`, part `even`: `five` and `four` have the same sentence
  fix: write one for each
""",
    ),
    "order_given_away": Planted(
        [
            (ASKED, "    - {id: carry, text: Carry the one.}\n    - {id: ones, text: Add the ones.}\n", "    - {id: ones, text: Add the ones.}\n    - {id: carry, text: Carry the one.}\n"),
        ],
        ["question-orders"],
        """\
exercises/13_adding/practice.yaml:24: question `by-hand`: the choices are listed in the right order
  fix: shuffle them
""",
    ),
    "starter_with_other_parameters": Planted(
        [
            (STARTER, "total(a, b=0.0)", "total(a, b=1.0)"),
        ],
        ["exercise-starters"],
        """\
exercises/13_adding/sums.py:4: `total(a, b=1.0)` is `total(a, b=0.0)` in the answer
  fix: give both the same parameters
""",
    ),
    "starter_with_a_function_too_many": Planted(
        [
            (STARTER, "def total(", "def totals("),
        ],
        ["exercise-starters"],
        """\
exercises/13_adding/sums.py:4: the answer has no function `totals`
  fix: remove it, or write the answer
""",
    ),
    "misconception_with_a_name_twice": Planted(
        [
            (
                MISCONCEPTIONS,
                "    return a\n",
                '    return a\n\n\n@misconception(of="total", section="what-a-sum-is", card="sum")\n'
                'def taken_away(a, b=0.0):\n    """You took it away."""\n    return a - b\n',
            ),
        ],
        ["exercise-names"],
        """\
solutions/13_adding/misconceptions/sums.py:19: `taken_away` stands on line 7 already, and that one is lost
  fix: rename one of them
""",
    ),
    "misconception_that_leads_nowhere": Planted(
        [
            (MISCONCEPTIONS, 'card="sum")\ndef taken', 'card="summ")\ndef taken'),
        ],
        ["misconception-leads"],
        """\
solutions/13_adding/misconceptions/sums.py:6: misconception `taken_away`: there is no card `summ`
  fix: did you mean `sum`?
""",
    ),
    "misconception_of_no_function": Planted(
        [
            (MISCONCEPTIONS, 'of="total", section="what-a-sum-is", card="sum")\ndef second', 'of="totl", section="what-a-sum-is", card="sum")\ndef second'),
            (ASKED, "[taken_away, second_forgotten]", "[taken_away]"),
        ],
        ["misconception-leads"],
        """\
solutions/13_adding/misconceptions/sums.py:12: misconception `second_forgotten`: there is no function `totl` in the answer
  fix: write the function, or mend the name
""",
    ),
    "misconception_without_a_sentence": Planted(
        [
            (MISCONCEPTIONS, '    """You gave the first number back. A sum needs both."""\n', ""),
        ],
        ["exercise-starters"],
        """\
solutions/13_adding/misconceptions/sums.py:12: misconception `second_forgotten` has no sentence
  fix: write the sentence that the student reads as its docstring
""",
    ),
    "stray_file": Planted(
        [
            ("solutions/13_adding/sum.py", None, '"""Nothing."""\n'),
        ],
        ["exercise-files"],
        """\
solutions/13_adding/sum.py: no exercise has this name
  fix: rename it after its starter, or remove it
""",
    ),
    "empty_cell_of_the_map": Planted(
        [
            (TEXT, "  - id: add\n", "  - id: subtract\n    text: Subtract.\n  - id: add\n"),
        ],
        ["map"],
        """\
lessons/13_adding/lesson.md:6: objective `subtract` has no sections
  fix: let one of its cards or questions name a section
lessons/13_adding/lesson.md:6: objective `subtract` has no questions
  fix: write a question with this objective
lessons/13_adding/lesson.md:6: objective `subtract` has no exercises
  fix: add it to an exercise's objectives in hints.yaml
lessons/13_adding/lesson.md:6: objective `subtract` has no cards
  fix: write a card with this objective
lessons/13_adding/lesson.md:6: objective `subtract` has no misconceptions
  fix: tag one of its cards with a misconception's id
""",
    ),
    "course_file_missing": Planted(
        [
            ("course.yaml", None, None),
        ],
        ["content"],
        """\
course.yaml: the course's description is missing
  fix: create this file
""",
    ),
    "policy_that_cannot_hold": Planted(
        [
            (
                "course.yaml",
                "  reveal: all\n",
                "  reveal: all\n  due: 2026-11-20 23:59\n  due_of:\n    sum: 2026-11-20 23:59+01:00\n  reveal_from: tomorrow\n"
                "  late:\n    percent: 110\n    per: week\n    grace_minutes: -1\n  counts: first\n  weights: {sums: -1}\n  pass_mark: -5\n  show_solutions:\n  - sum\n",
            ),
        ],
        ["content"],
        """\
course.yaml:6: `grading`: `due` has no time zone
  fix: add `time_zone: Europe/Berlin` to `grading`, or the difference from UTC, as in 2026-11-20 23:59+01:00
course.yaml:8: `due_of`: there is no exercise `sum`
  fix: did you mean `sums`?
course.yaml:9: `grading`: `reveal_from` should be a time, like 2026-11-20 23:59+01:00, and is the text `tomorrow`
  fix: write the day, the time, and the zone
course.yaml:11: `percent` is 110
  fix: write a percentage, from 0 to 100
course.yaml:12: `grading`: `late`: `per` is the text `week`
  fix: write one of day, hand-in
course.yaml:13: `grace_minutes` is below 0
  fix: write 0 or more
course.yaml:14: `grading`: `counts` is the text `first`
  fix: write one of last, best
course.yaml:15: `weights`, `sums` is -1
  fix: write 0 or more; 0 counts nothing
course.yaml:16: `pass_mark` is -5
  fix: write a percentage, from 0 to 100
course.yaml:17: `show_solutions`: there is no exercise `sum`
  fix: did you mean `sums`?
""",
    ),
    "policy_that_offers_answers": Planted(
        [
            ("course.yaml", "  reveal: all\n", "  reveal: all\n  limits: {packages: [scipy, solutions]}\n  limits_of:\n    sums: {packages: [../x]}\n"),
        ],
        ["content"],
        """\
course.yaml:6: `packages`: submissions cannot be offered `solutions`
  fix: write the name under which an installed package is imported, like scipy
course.yaml:8: `packages`: submissions cannot be offered `../x`
  fix: write the name under which an installed package is imported, like scipy
""",
    ),
    "policy_with_a_day_for_a_time": Planted(
        [
            ("course.yaml", "  reveal: all\n", "  reveal: all\n  due: 2026-11-20\n"),
        ],
        ["content"],
        """\
course.yaml:6: `2026-11-20` is read in different ways by readers of YAML
  fix: write "2026-11-20" for the text, or the number plainly
""",
    ),
    "not_text": Planted(
        [
            (CARDS, None, b'\xff'),
        ],
        ["content"],
        """\
lessons/13_adding/flashcards.yaml: this is not UTF-8 text
  fix: save the file as plain UTF-8 text
""",
    ),
    "answer_that_cannot_be_run": Planted(
        [
            ("solutions/13_adding/sums.py", "    return a + b\n", "    return a + b\n\n\ntotall\n"),
        ],
        ["exercise-runs"],
        """\
solutions/13_adding/sums.py:9: this file cannot be imported: NameError: name 'totall' is not defined
  fix: correct this line
""",
    ),
    "formulas_that_do_not_hold": Planted(
        [
            (CHECKS, "    close(", "    close(student.total([1.0, 2.0, 4.0], np.ones(3)), np.array([2.0, 3.0, 5.0]))\n    close("),
            (CHECKS, "from autograder.api", "import numpy as np\n\nfrom autograder.api"),
            ("solutions/13_adding/sums.py", "    return a + b", "    return np.asarray(a) + b"),
            ("solutions/13_adding/sums.py", "def total", "import numpy as np\n\n\ndef total"),
            (
                "solutions/13_adding/quantities.py",
                None,
                'LINEAR, LETTERS, KINDS, TABLES, WITHOUT = {"total": ("a",)}, {}, {}, {}, {}\n\n\ndef quantities(given):\n    return {}\n',
            ),
        ],
        ["check-formulas"],
        """\
solutions/13_adding/quantities.py: LINEAR: the results of the course's own `total` are no sums of a, each times a factor
  fix: name the arguments that it adds up, or remove the entry
""",
    ),
    "hints_that_do_not_help": Planted(
        [
            (HINTS, None, 'sums:\n  objectives: [add, adding]\n  sections: [carying]\n  minutes: -5\n  functions:\n    total: ["Write return a + b."]\n    sum: []\nproducts: {}\n'),
        ],
        ["exercise-hints"],
        """\
exercises/13_adding/hints.yaml: `sums.total` has fewer than 2 hints
  fix: write 2 or 3 below `sums: functions: total:`, each nearer to the answer
exercises/13_adding/hints.yaml: hints for `sums.sum`: there is no such function
  fix: rename or remove them
exercises/13_adding/hints.yaml: `minutes` of `sums` is -5
  fix: write about how many it takes, or leave `minutes` out everywhere
exercises/13_adding/hints.yaml: `sums`: there is no objective `adding`
  fix: take one of add
exercises/13_adding/hints.yaml: `sums`: there is no section `carying`
  fix: take one of carrying, what-a-sum-is
exercises/13_adding/hints.yaml: a hint for `sums.total` gives a line of the answer away: `return a + b`
  fix: say it in words
exercises/13_adding/hints.yaml: hints for `products`: there is no such exercise
  fix: rename or remove them
""",
    ),
    "misconceptions_file_gone": Planted(
        [
            (MISCONCEPTIONS, None, None),
        ],
        ["question-functions"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: `total` has no misconception `taken_away`
  fix: write it as a function of the misconceptions
exercises/13_adding/practice.yaml:1: question `fresh-sum`: `total` has no misconception `second_forgotten`
  fix: write it as a function of the misconceptions
exercises/13_adding/practice.yaml:44: question `both-ways`, part `forth`: `total` has no misconception `taken_away`
  fix: write it as a function of the misconceptions
""",
    ),
    "unused_import": Planted(
        [
            (CHECKS, "from autograder.api", "import math\n\nfrom autograder.api"),
        ],
        ["unused-imports"],
        """\
exercises/13_adding/checks/sums.py:3: `math` is imported and not used
  fix: remove it
""",
    ),
    "calls_that_are_too_close": Planted(
        [
            (CHECKS, "    close(student.total(1.5, 2.25), reference.total(1.5, 2.25))\n", "    for more in (2.25, 2.250001):\n        close(student.total(1.5, more), reference.total(1.5, more))\n"),
        ],
        ["check-recordings"],
        """\
exercises/13_adding/checks/sums.py:6: two calls of `total` get numbers that agree in three digits, and have different answers
  fix: draw numbers that lie further apart; if only a callback differs, other numbers too: they cannot be recorded
""",
    ),
    "check_of_no_function": Planted(
        [
            (CHECKS, "of=\"total\"", "of=\"totals\""),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand`: there is no function `totals` in the answer
  fix: did you mean `total`?
""",
    ),
    "check_without_points": Planted(
        [
            (CHECKS, "points=1", "points=-1"),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand`: its points are -1
  fix: write a number above 0
""",
    ),
    "check_with_other_parameters": Planted(
        [
            (CHECKS, "def by_hand(student, reference)", "def by_hand(student)"),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand` is `by_hand(student)`
  fix: give it the parameters student and reference, and rng if it draws numbers
""",
    ),
    "check_without_a_title": Planted(
        [
            (CHECKS, "    \"\"\"Adds two numbers.\"\"\"\n", ""),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/checks/sums.py:6: check `by_hand` has no title
  fix: give it a one-line docstring
""",
    ),
    "no_checks": Planted(
        [
            (CHECKS, None, "\"\"\"Nothing.\"\"\"\n"),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/checks/sums.py: no checks
  fix: write a function with @check(points=..., of=...)
""",
    ),
    "starter_that_is_not_python": Planted(
        [
            (STARTER, "def total(a", "def total(a b"),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/sums.py:4: this file cannot be imported: SyntaxError: invalid syntax
  fix: correct this line
""",
    ),
    "answer_that_leaves": Planted(
        [
            ("solutions/13_adding/sums.py", "def total", "exit()\n\n\ndef total"),
        ],
        ["exercise-runs"],
        """\
solutions/13_adding/sums.py:4: this file cannot be imported: SystemExit: None
  fix: correct this line
""",
    ),
    "check_that_raises": Planted(
        [
            (CHECKS, "    close(", "    [][0]\n    close("),
        ],
        ["check-answers"],
        """\
exercises/13_adding/checks/sums.py:9: this line raises: IndexError: list index out of range
  fix: correct this line
""",
    ),
    "check_that_leaves": Planted(
        [
            (CHECKS, "    close(", "    exit()\n    close("),
        ],
        ["check-answers"],
        """\
exercises/13_adding/checks/sums.py:9: this line raises: SystemExit: None
  fix: correct this line
""",
    ),
    "misconception_that_leaves": Planted(
        [
            (MISCONCEPTIONS, "    return a - b", "    exit()"),
        ],
        ["check-misconceptions"],
        """\
solutions/13_adding/misconceptions/sums.py:9: this line raises: SystemExit: None
  fix: correct this line
""",
    ),
    "expression_that_is_no_number": Planted(
        [
            (TEXT, "<!--= 2.5 - 1 / 3 -->", "<!--= [2.5 - 1 / 3] -->"),
        ],
        ["text-computed"],
        """\
lessons/13_adding/lesson.md:18: `[2.5 - 1 / 3]` is no number
  fix: write an expression that gives one
""",
    ),
    "table_that_is_no_list": Planted(
        [
            (TEXT, "[[n, total(n, 1 / 3), \"odd\" if n % 2 else \"even\"] for n in (1, 2)]", "total(1, 2)"),
        ],
        ["text-tables"],
        """\
lessons/13_adding/lesson.md:30: `total(1, 2)` is no table
  fix: write an expression that gives a list of rows, each a list of numbers and texts
""",
    ),
    "decimals_below_zero": Planted(
        [
            (ASKED, "decimals: 3", "decimals: -1"),
        ],
        ["content"],
        """\
exercises/13_adding/practice.yaml:13: question `fresh-sum`: `decimals` is -1
  fix: write 0 to 15
""",
    ),
    "too_few_arguments": Planted(
        [
            (ASKED, "arguments: [a, b]", "arguments: []"),
        ],
        ["question-functions"],
        """\
exercises/13_adding/practice.yaml:1: question `fresh-sum`: `total` cannot take 0 arguments
  fix: its parameters are a, b
""",
    ),
    "half_a_file_of_quantities": Planted(
        [
            ("solutions/13_adding/quantities.py", None, "LINEAR = {}\n"),
        ],
        ["check-answers"],
        """\
solutions/13_adding/quantities.py: there is no `LETTERS`
  fix: define `LETTERS`, empty if it has nothing
""",
    ),
    "props_that_raise": Planted(
        [
            ("exercises/13_adding/props.py", None, "1 / 0\n"),
        ],
        ["exercise-runs"],
        """\
exercises/13_adding/props.py:1: this file cannot be imported: ZeroDivisionError: division by zero
  fix: correct this line
""",
    ),
    "reference_that_raises": Planted(
        [
            ("solutions/adding/sums.py", "def total", "1 / 0\n\n\ndef total"),
        ],
        ["text-computed"],
        """\
solutions/adding/sums.py:4: this file cannot be imported: ZeroDivisionError: division by zero
  fix: correct this line
""",
    ),
    "class_without_an_answer": Planted(
        [
            (STARTER, "def total", "class Sum:\n    \"\"\"A sum.\"\"\"\n\n\ndef total"),
        ],
        ["exercise-starters"],
        """\
exercises/13_adding/sums.py:4: the answer has no class `Sum`
  fix: remove it, or write the answer
""",
    ),
}
