"""Three made-up definitions: with all there is, with cut-offs for some, and with the least."""

FULL = """\
id = "low-mood"
version = "2"
title = "Low Mood Scale"
construct = "low mood"
population = "adults"
notes = ["Made up.", "In use nowhere."]
remarks = "Whatever a clinic writes here is left alone."

[range]
minimum = 0
maximum = 24
step = 2
higher_is = "worse"
source = "manual, page 1"

[items]
count = 4
minimum = 0
maximum = 3
reversed = [4, 2]
multiply = 2
stem = "In the last week"
anchors = ["no", "a little", "much", "very much"]
wording = ["first", "second", "third", "fourth"]
source = "manual, page 2"

[missing]
most = 3
round = true
within_subscales = true
source = "manual, page 3"
remembered = true

[[subscales]]
id = "sleep"
title = "Sleep"
items = [1, 3]
multiply = 1.5
source = "manual, page 4"
[subscales.severity]
bands = [
    { label = "rested", low = 0, high = 4.5 },
    { label = "tired", low = 6, high = 9 },
]
source = "manual, page 5"
[subscales.cutoff]
operator = ">="
value = 6
source = "manual, page 6"
[subscales.reliability]
value = 0.7
kind = "alpha"
sample = "100 adults"
source = "manual, page 7"
[subscales.norm]
mean = 5
sd = 2.5
sample = "200 adults"
source = "manual, page 8"
remembered = true

[[subscales]]
id = "drive"
title = "Drive"
items = [2, 4]
source = "manual, page 9"

[severity]
bands = [
    { label = "mild", low = 0, high = 8 },
    { label = "moderate", low = 10, high = 16 },
    { label = "severe", low = 18, high = 24 },
]
source = "manual, page 10"

[cutoff]
operator = ">"
value = 8
source = "manual, page 11"
[[cutoff.also]]
operator = ">="
value = 12.5
source = "a later study"
remembered = true
[[cutoff.also]]
value = 14
source = "a clinic"
asked_of = "inpatients"

[reliability]
value = 0.9
kind = "test-retest"
sample = "300 adults"
source = "manual, page 12"

[norm]
mean = 13.5
sd = 6
sample = "400 adults"
source = "manual, page 13"

[reliable_change]
operator = ">="
value = 6
confidence = 0.9
source = "manual, page 14"
[[reliable_change.also]]
value = 8
source = "a later study"

[[risk]]
item = 4
kind = "self"
endorsed_from = 1
urgent_from = 2
source = "manual, page 15"

[[risk]]
item = 3
kind = "others"
endorsed_from = 3
source = "manual, page 16"
remembered = true

[loinc]
panel = "44249-1"
total = "44261-6"
risk_item = "44260-8"
source = "loinc.org"

[snomed]
score = "720433000"
source = "a browser"
remembered = true

[licence]
value = "free"
item_text = true
source = "its authors"

[alarm]
budgets = [0.05, 0.1, 0.2]
thresholds = [0.9, 0.7, 0.7]
source = "simulated"
"""

FOR_SOME = """\
id = "thriving"
version = "1"
title = "Thriving"
construct = "wellbeing"
population = "families"
needs = ["age", "gender", "respondent"]

[range]
minimum = 2
maximum = 10
step = 0.5
higher_is = "better"
source = "its authors"

[items]
count = 2
minimum = 1
maximum = 5
mean_times = 2
source = "its authors"

[missing]
most = 1
source = "its authors"

[[cutoffs]]
when = { age = "11-13", gender = "female" }
operator = "<="
value = 4.5
source = "a norm of girls"

[[cutoffs]]
when = { respondent = "parent" }
operator = "<"
value = 6
source = "a norm of parents"
remembered = true

[norm]
sd = 1.5
sample = "50 families"
source = "its authors"

[reliable_change]
operator = ">"
value = 2.25
confidence = 0.95
source = "its authors"

[licence]
value = "ask its authors"
source = "its authors"
"""

LEAST = """\
id = "bare"
version = "0"
title = "Bare"
construct = "anything"
population = "anybody"

[range]
minimum = -5
maximum = 5
step = 0.1
higher_is = "better"
source = "nobody"

[licence]
value = "free"
source = "nobody"
"""
