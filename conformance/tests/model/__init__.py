"""A second opinion: what the documents allow, as a model in Python that shares nothing with spec/.

A `World` is one way to understand the documents, and the state of everything in it. It goes through
a script and what was seen of it, event by event, and ends in one of three ways: all was allowed,
something was not (`Diverges`), or the script itself broke a rule of callers (`Misuse`). Where the
documents leave a question open a world asks for the answer (`Ask`), and `judge` makes one world for
each. The verdict: a world in which all was allowed is enough for `conforms`; else one with misuse
for `misuse`; else `diverges`.

Places are given as  [objects] Callback Objects,  [using] Using a Driver-Defined Callback Object,
[create] [register] [notify] the routines' pages,  [facts] what else is known of Windows, which binds
in the profile windows only.  What is said of neither is a rule of the script language ([script]).

 script      what the model reads of a script
 seen        what a run has shown of it
 questions   what the documents leave open
 objects     the state: objects and registrations, and how they live
 create, callbacks, processors, world   what may happen, by topic
 verdict     one world for each way to answer, and what they say together
"""
from model.objects import POWER_STATE, PROCESSOR_ADD, SYSTEM_TIME
from model.questions import QUESTIONS
from model.script import Program, Statement, Unknown, parse
from model.seen import Imagined, Misuse, Stopped
from model.verdict import PROBES, judge, learn
from model.world import World
