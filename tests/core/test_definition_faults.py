"""Every fault of a definition is told by file, line, key and reason, before anything is scored."""

import pytest

from services.outcomes.core.definition import fingerprint, read, read_own
from services.outcomes.core.table import InstrumentError
from tests.core.definitions import FOR_SOME, FULL, LEAST

# What is written in the definition, what is written instead, and what is then told.
IN_FULL = [
    *(('id = "low-mood"', f'id = "{name}"',
       "line 1: id must be in lower case, of 64 characters at most, without | in it")
      for name in ("Low-Mood", "low-mood ", "low|mood", "low\\nmood", "x" * 65)),
    ('version = "2"', "version = 2", "line 2: version must be a text"),
    ('title = "Low Mood Scale"', 'title = " "', "line 3: title must be a text"),
    ('["Made up.", "In use nowhere."]', '"Made up."', "line 6: notes must be a list"),
    ('"In use nowhere."', "2", "line 6: notes must be a list of texts"),
    ("remarks = ", "remark = ", "line 7: remark is not a known key"),
    ("minimum = 0\nmaximum = 24", "minimum = false\nmaximum = 24",
     "line 10: range.minimum must be a number"),
    ("maximum = 24", 'maximum = "24"', "line 11: range.maximum must be a number"),
    ("maximum = 24", "maximum = inf", "line 11: range.maximum must be a finite number"),
    ("maximum = 24", "maximum = 0", "line 11: range.maximum must be above the minimum"),
    ("step = 2", "step = 0", "line 12: range.step must be above 0"),
    ("step = 2", "step = 5", "line 12: range.step must lead from the minimum to the maximum"),
    ("step = 2", "step = 48", "line 12: range.step must lead from the minimum to the maximum"),
    ('higher_is = "worse"', 'higher_is = "bad"',
     "line 13: range.higher_is must be one of worse, better"),
    ('higher_is = "worse"', "higher_is = 1",
     "line 13: range.higher_is must be one of worse, better"),
    ('source = "manual, page 1"\n', "", "line 9: range.source is missing"),
    ("count = 4", "count = 4.0", "line 17: items.count must be a whole number"),
    ("count = 4", "count = true", "line 17: items.count must be a whole number"),
    ("count = 4", "count = 201", "line 17: items.count must be 200 at most"),
    ("multiply = 2", "multiply = 4",
     "line 17: items.count gives scores from 0 to 48, where the range is 0 to 24"),
    ("minimum = 0\nmaximum = 24", "minimum = 2\nmaximum = 24",
     "line 17: items.count gives scores from 0 to 24, where the range is 2 to 24"),
    ("count = 4", "count = 0",
     "line 17: items.count needs at least one item with at least two answers"),
    ("maximum = 3\n", "maximum = 0\n",
     "line 17: items.count needs at least one item with at least two answers"),
    ("reversed = [4, 2]", "reversed = [4, 0]",
     "line 20: items.reversed names an item outside 1 to 4"),
    ("reversed = [4, 2]", "reversed = [5, 2]",
     "line 20: items.reversed names an item outside 1 to 4"),
    ("reversed = [4, 2]", "reversed = [true]",
     "line 20: items.reversed must be a list of whole numbers"),
    ("reversed = [4, 2]", 'reversed = [4, "2"]',
     "line 20: items.reversed must be a list of whole numbers"),
    ("reversed = [4, 2]", "reversed = 2", "line 20: items.reversed must be a list"),
    ("multiply = 2\n", "", "line 16: items.multiply is missing"),
    ("multiply = 2\n", "multiply = 0\n", "line 21: items.multiply must be above 0"),
    ("multiply = 2\n", "multiply = 2\nmean_times = 8\n",
     "line 22: items.mean_times stands beside multiply: one of them"),
    ('stem = "In the last week"', 'stem = ""', "line 22: items.stem must be a text"),
    ('anchors = ["no", ', "anchors = [", "line 23: items.anchors needs one text for each answer"),
    ('wording = ["first", ', "wording = [", "line 24: items.wording needs one text for each item"),
    ("most = 3", "most = 4", "line 28: missing.most must leave at least one item answered"),
    ("most = 3", "most = -1", "line 28: missing.most must leave at least one item answered"),
    ("round = true", "round = 1", "line 29: missing.round must be true or false"),
    ("within_subscales = true", 'within_subscales = "yes"',
     "line 30: missing.within_subscales must be true or false"),
    ("items = [2, 4]", "items = [4]",
     "line 30: missing.within_subscales needs subscales that hold each item once"),
    ("items = [2, 4]", "items = [2, 3, 4]",
     "line 30: missing.within_subscales needs subscales that hold each item once"),
    ('page 3"\nremembered = true', 'page 3"\nremembered = 1',
     "line 32: missing.remembered must be true or false"),
    ("items = [1, 3]", "items = []",
     "line 37: subscales[0].items must name items of the instrument"),
    ("items = [1, 3]", "items = [0, 3]",
     "line 37: subscales[0].items must name items of the instrument"),
    ("items = [1, 3]", "items = [1, 5]",
     "line 37: subscales[0].items must name items of the instrument"),
    ("items = [1, 3]", "items = [1, 1]", "line 37: subscales[0].items names an item twice"),
    ('{ label = "rested", low = 0, high = 4.5 }', '{ label = "rested", low = 1, high = 4.5 }',
     "line 41: subscales[0].severity.bands must run from the lowest score to the highest"),
    ("low = 6, high = 9 }", "low = 6, high = 8 }",
     "line 41: subscales[0].severity.bands must run from the lowest score to the highest"),
    ('{ label = "tired", ', "{ ",
     "line 41: subscales[0].severity.bands[1].label is missing"),
    ("low = 6, high = 9 }", "low = 4.5, high = 9 }",
     "line 41: subscales[0].severity.bands overlap"),
    ("low = 6, high = 9 }", "low = 7.5, high = 9 }",
     "line 41: subscales[0].severity.bands leave a score between them out"),
    ("value = 6\nsource = \"manual, page 6", "value = 9.5\nsource = \"manual, page 6",
     "line 48: subscales[0].cutoff.value must lie between 0 and 9"),
    ("mean = 5", "mean = 13.5", "line 56: subscales[0].norm.mean must lie between 0 and 9"),
    ('operator = ">="\nvalue = 6\nsource = "manual, page 6"',
     'operator = "<="\nvalue = 6\nsource = "manual, page 6"',
     "line 47: subscales[0].cutoff.operator must be one of >=, >"),
    ("value = 0.7\n", "value = 70\n",
     "line 51: subscales[0].reliability.value must lie between 0 and 1"),
    ("sd = 2.5\n", "", "line 55: subscales[0].norm.sd is missing"),
    ('id = "drive"', 'id = "sleep"', "line 63: subscales[1].id stands twice"),
    ('id = "drive"\n', "", "line 62: subscales[1].id is missing"),
    ('title = "Drive"\n', "", "line 62: subscales[1].title is missing"),
    ("items = [2, 4]\n", "items = [2, 4]\nmultiply = 0\n",
     "line 66: subscales[1].multiply must be above 0"),
    ("items = [2, 4]\n", "items = [2, 4]\ncut = 3\n",
     "line 66: subscales[1].cut is not a known key"),
    ('source = "manual, page 9"\n', "", "line 62: subscales[1].source is missing"),
    ('label = "mild", low = 0', 'label = "mild", low = 2',
     "line 69: severity.bands must run from the lowest score to the highest"),
    ('label = "moderate"', "label = 2", "line 69: severity.bands[1].label must be a text"),
    ("low = 10, high = 16", "low = 10, high = 20", "line 69: severity.bands overlap"),
    ("low = 10, high = 16", "low = 10", "line 69: severity.bands[1].high is missing"),
    ("low = 10, high = 16", "low = 12, high = 16",
     "line 69: severity.bands leave a score between them out"),
    ("low = 10, high = 16", "low = 10, high = 8",
     "line 69: severity.bands must each end where they begin, or above"),
    ("low = 18, high = 24", "low = 18, high = 22",
     "line 69: severity.bands must run from the lowest score to the highest"),
    ("low = 18, high = 24", "low = 9, high = 24",
     "line 69: severity.bands must run from the lowest score to the highest"),
    ('operator = ">"\nvalue = 8', 'operator = "<"\nvalue = 8',
     "line 77: cutoff.operator must be one of >=, >"),
    ('operator = ">"\nvalue = 8', 'operator = ">"', "line 76: cutoff.value is missing"),
    ('value = 8\nsource = "manual', 'value = true\nsource = "manual',
     "line 78: cutoff.value must be a number"),
    ('value = 8\nsource = "manual', 'value = 80\nsource = "manual',
     "line 78: cutoff.value must lie between 0 and 24"),
    ('value = 8\nsource = "manual', 'value = -1\nsource = "manual',
     "line 78: cutoff.value must lie between 0 and 24"),
    ('value = 8\nsource = "manual', 'value = 24\nsource = "manual',
     "line 78: cutoff.value would make nobody a case"),
    ('operator = ">"\nvalue = 8', 'operator = ">="\nvalue = 0',
     "line 78: cutoff.value would make everybody a case"),
    ("[[cutoff.also]]\noperator", "[[cutoff.others]]\noperator",
     "line 80: cutoff.others is not a known key"),
    ("value = 14\n", 'value = "14"\n', "line 86: cutoff.also[1].value must be a number"),
    ('source = "a clinic"\n', "", "line 85: cutoff.also[1].source is missing"),
    ("[reliability]", "[reliabilty]", "line 90: reliabilty is not a known key"),
    ("value = 0.9\n", "value = 1\n", "line 91: reliability.value must lie between 0 and 1"),
    ("value = 0.9\n", "value = 0\n", "line 91: reliability.value must lie between 0 and 1"),
    ('kind = "test-retest"\n', "", "line 90: reliability.kind is missing"),
    ('"test-retest"', '"kappa"',
     "line 92: reliability.kind must be one of alpha, omega, test-retest, inter-rater"),
    ('sample = "300 adults"\n', "", "line 90: reliability.sample is missing"),
    ("mean = 13.5", 'mean = "13.5"', "line 97: norm.mean must be a number"),
    ("mean = 13.5", "mena = 13.5", "line 97: norm.mena is not a known key"),
    ("mean = 13.5", "mean = 135", "line 97: norm.mean must lie between 0 and 24"),
    ("sd = 6", "sd = 60", "line 98: norm.sd must not be above 24, the width of the scale"),
    ("sd = 6", "sd = 0", "line 98: norm.sd must be above 0"),
    ("sd = 6", "sd = nan", "line 98: norm.sd must be a finite number"),
    ('sample = "400 adults"\n', "", "line 96: norm.sample is missing"),
    ('source = "manual, page 13"\n', "", "line 96: norm.source is missing"),
    ('operator = ">="\nvalue = 6\nconfidence', 'operator = "="\nvalue = 6\nconfidence',
     "line 103: reliable_change.operator must be one of >=, >"),
    ('operator = ">="\nvalue = 6\nconfidence', 'operator = ">="\nconfidence',
     "line 102: reliable_change.value is missing"),
    ("confidence = 0.9", "confidence = 0.5",
     "line 105: reliable_change.confidence must lie between .5 and 1"),
    ("confidence = 0.9", "confidence = 1",
     "line 105: reliable_change.confidence must lie between .5 and 1"),
    *(("value = 6\nconfidence", f"value = {value}\nconfidence",
       "line 104: reliable_change.value must be above 0, and 24 at most")
      for value in (0, -6, 24.5)),
    ("item = 3\nkind", "item = 4\nkind", "line 119: risk[1].item stands twice"),
    ("urgent_from = 2", "urgent_from = 4",
     "line 115: risk[0].urgent_from must be 3 at most: the highest answer"),
    ("item = 4", "item = 5", "line 112: risk[0].item is not an item of the instrument"),
    ("item = 4", "item = 0", "line 112: risk[0].item is not an item of the instrument"),
    ("item = 4\n", "", "line 111: risk[0].item is missing"),
    ("endorsed_from = 1", "endorsed_from = 0",
     "line 114: risk[0].endorsed_from must be an answer above the lowest"),
    ("endorsed_from = 1\n", "", "line 111: risk[0].endorsed_from is missing"),
    ("endorsed_from = 1", "endorsed_from = 3",
     "line 115: risk[0].urgent_from must not be below endorsed_from"),
    ("urgent_from = 2", 'urgent_from = "2"',
     "line 115: risk[0].urgent_from must be a whole number"),
    ("urgent_from = 2", "urgent_form = 2", "line 115: risk[0].urgent_form is not a known key"),
    ('source = "manual, page 15"\n', "", "line 111: risk[0].source is missing"),
    ("item = 3\nkind", 'item = "3"\nkind', "line 119: risk[1].item must be a whole number"),
    ('kind = "others"', 'kind = "other"',
     "line 120: risk[1].kind must be one of self, others, substance"),
    ("endorsed_from = 3", "endorsed_from = 4",
     "line 121: risk[1].endorsed_from must be an answer above the lowest"),
    ("panel =", "form =", "line 126: loinc.form is not a known key"),
    ('"44249-1"', '"44249-2"', "line 126: loinc.panel has a wrong LOINC check digit"),
    ('"44261-6"', '"44261"', "line 127: loinc.total has a wrong LOINC check digit"),
    ('"44260-8"', '"44260-9"', "line 128: loinc.risk_item has a wrong LOINC check digit"),
    ('score = "720433000"\n', "", "line 131: snomed.score is missing"),
    ('score = "720433000"', 'scroe = "720433000"', "line 131: snomed.score is missing"),
    ('"720433000"', '"720433001"', "line 132: snomed.score has a wrong SNOMED CT check digit"),
    ('source = "a browser"\n', "", "line 131: snomed.source is missing"),
    ("item_text = true\n", "", "line 136: licence.item_text is false, yet the items are worded"),
    ("item_text = true\n", 'item_text = "yes"\n',
     "line 138: licence.item_text must be true or false"),
    ("item_text = true", "item_text = false",
     "line 138: licence.item_text is false, yet the items are worded"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = []",
     "line 143: alarm.thresholds needs one for each of the budgets"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = [0.1, 0.2]",
     "line 143: alarm.thresholds needs one for each of the budgets"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = [0, 0.1, 0.2]",
     "line 143: alarm.thresholds must lie between 0 and 1, like the budgets"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = [0.1, 0.1, 0.2]",
     "line 142: alarm.budgets must rise"),
    ("budgets = [0.05, 0.1, 0.2]", 'budgets = ["few", 0.1, 0.2]',
     "line 142: alarm.budgets must be a list of numbers"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = [0.05, true, 0.2]",
     "line 142: alarm.budgets must be a list of numbers"),
    ("budgets = [0.05, 0.1, 0.2]", "budgets = [0.05, nan, 0.2]",
     "line 142: alarm.budgets must be a list of finite numbers"),
    ("thresholds = [0.9, 0.7, 0.7]", "thresholds = [1, 0.7, 0.7]",
     "line 143: alarm.thresholds must lie between 0 and 1, like the budgets"),
    ("thresholds = [0.9, 0.7, 0.7]", "thresholds = [0.7, 0.7, 0.8]",
     "line 143: alarm.thresholds must not rise: a larger budget has a lower threshold"),
    ("thresholds = [0.9, 0.7, 0.7]", "thresholds = [0.5]",
     "line 143: alarm.thresholds needs one for each of the budgets"),
]  # fmt: skip
IN_FOR_SOME = [
    ('["age", "gender", "respondent"]', '"age"', "line 6: needs must be a list"),
    ('"gender", "respondent"]', '"height"]', "line 6: needs may name age, gender, respondent"),
    ('"gender", "respondent"]', '"gender"]', "line 6: needs must name what the cut-offs depend on"),
    ("most = 1", "most = 1\nwithin_subscales = true",
     "line 24: missing.within_subscales needs subscales that hold each item once"),
    ("mean_times = 2", "mean_times = 0", "line 19: items.mean_times must be above 0"),
    ("[[cutoffs]]\nwhen = { age",
     '[cutoff]\noperator = "<"\nvalue = 3\nsource = "its authors"\n\n[[cutoffs]]\nwhen = { age',
     "line 31: cutoffs stand beside a cutoff for everybody"),
    ('"11-13"', '"11"', 'line 27: cutoffs[0].when.age must be a stretch of years such as "11-13"'),
    ('"11-13"', '"13-11"',
     'line 27: cutoffs[0].when.age must be a stretch of years such as "11-13"'),
    ('"11-13"', '"11-1300"',
     'line 27: cutoffs[0].when.age must be a stretch of years such as "11-13"'),
    ('"female"', '"girl"',
     "line 27: cutoffs[0].when.gender must be one of female, male, other, unknown"),
    ('when = { respondent = "parent" }', 'when = { height = "tall" }',
     "line 33: cutoffs[1].when must name one of age, gender, respondent"),
    ('when = { respondent = "parent" }', 'when = "parent"',
     "line 33: cutoffs[1].when must be a table"),
    ('when = { respondent = "parent" }\n', "", "line 32: cutoffs[1].when is missing"),
    ('when = { respondent = "parent" }', 'when = { respondent = "" }',
     "line 33: cutoffs[1].when.respondent must be a text"),
    ('when = { respondent = "parent" }', 'when = { respondent = "parent", height = "tall" }',
     "line 6: needs must name what the cut-offs depend on"),
    ('operator = "<"', 'operator = ">"', "line 34: cutoffs[1].operator must be one of <=, <"),
    ("value = 4.5", "value = 1", "line 29: cutoffs[0].value must lie between 2 and 10"),
    ("value = 4.5", "value = 10", "line 29: cutoffs[0].value would make everybody a case"),
    ('operator = "<"\nvalue = 6', 'operator = "<"\nvalue = 2',
     "line 35: cutoffs[1].value would make nobody a case"),
    ("[licence]",
     '[[cutoffs]]\nwhen = { respondent = "self" }\noperator = "<"\nvalue = 3\n\n[licence]',
     "line 50: cutoffs[2].source is missing"),
]  # fmt: skip
IN_LEAST = [
    ('population = "anybody"', 'population = "anybody"\nneeds = ["shoe size"]',
     "line 6: needs may name age, gender, respondent"),
    ("[range]", "range = 1\n[span]", "line 7: range must be a table"),
    ("[licence]", '[missing]\nmost = 1\nsource = "nobody"\n\n[licence]',
     "line 15: missing.most is not a known key"),
    ("[licence]", '[[subscales]]\nid = "a"\ntitle = "A"\nitems = [1]\nsource = "nobody"\n[licence]',
     "line 17: subscales[0].items must name items of the instrument"),
    ("[licence]", '[severity]\nbands = []\nsource = "nobody"\n\n[licence]',
     "line 15: severity.bands must run from the lowest score to the highest"),
    ("[licence]", '[severity]\nbands = [1]\nsource = "nobody"\n\n[licence]',
     "line 15: severity.bands must be a list of tables"),
    ("[licence]", "[risk]\nitem = 1\n\n[licence]", "line 14: risk must be a list"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "old", "new", "told"),
    [
        (text, *row)
        for text, rows in ((FULL, IN_FULL), (FOR_SOME, IN_FOR_SOME), (LEAST, IN_LEAST))
        for row in rows
    ],
    ids=[told for rows in (IN_FULL, IN_FOR_SOME, IN_LEAST) for *_, told in rows],
)
def test_a_fault_is_told_with_its_line_its_key_and_the_reason(
    text: str, old: str, new: str, told: str
) -> None:
    assert old in text
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", text.replace(old, new, 1))
    assert str(refusal.value) == f"own.toml, {told}"
    error = refusal.value
    assert f"{error.name}, line {error.line}: {error.key} {error.reason}" == f"own.toml, {told}"


@pytest.mark.parametrize("key", ["id", "version", "title", "construct", "population"])
def test_what_every_instrument_has_must_be_there(key: str) -> None:
    lines = [line for line in LEAST.splitlines() if not line.startswith(f"{key} =")]
    assert len(lines) == len(LEAST.splitlines()) - 1
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", "\n".join(lines))
    assert (str(refusal.value), refusal.value.line) == (f"own.toml: {key} is missing", None)


@pytest.mark.parametrize("key", ["range", "licence"])
def test_so_must_the_tables_that_every_instrument_has(key: str) -> None:
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", LEAST.replace(f"[{key}]", f"[{key[:-1]}]"))
    assert str(refusal.value) == f"own.toml: {key} is missing"


def test_what_is_no_toml_is_told_as_a_whole() -> None:
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", "id = phq-9")
    assert str(refusal.value).startswith("own.toml: as a whole is no TOML: ")
    assert "line 1" in refusal.value.reason


def test_what_is_nested_without_end_is_told_too() -> None:
    with pytest.raises(InstrumentError) as refusal:
        read("own.toml", "id = " + "[" * 100_000)
    assert str(refusal.value) == "own.toml: as a whole is nested too deep"


def test_what_a_clinic_s_definition_says_is_part_of_its_version() -> None:
    def version(text: str) -> str:
        return read_own([("own.toml", text)])["bare"].version

    first = version(LEAST)
    assert first == f"{read('own.toml', LEAST).version}+{fingerprint(LEAST)}"
    assert version(f"# a remark\n\n{LEAST}") == first
    assert version(LEAST.replace("Bare", "Barer")) != first


def test_two_files_of_one_id_are_told_with_both_their_names() -> None:
    assert read_own([]) == {}
    found = read_own([("full.toml", FULL), ("least.toml", LEAST)])
    assert {name: one.title for name, one in found.items()} == {
        "low-mood": "Low Mood Scale", "bare": "Bare",
    }  # fmt: skip
    copies = [("least.toml", LEAST), ("a.toml", FULL), ("b.toml", f"# a copy\n{FULL}")]
    with pytest.raises(InstrumentError) as refusal:
        read_own(copies)
    assert str(refusal.value) == "b.toml, line 2: id is that of a.toml too"
