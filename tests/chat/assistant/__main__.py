"""`python -m tests.chat.assistant`: the figures; `--tuning` lists the tuning halves' faults."""

import sys

from chat.core.assistant.facts import Thresholds
from tests.chat.assistant.questions import SETS, given, load, report

if __name__ == "__main__":
    usual = Thresholds()
    for name in SETS:
        questions = load(name)
        sys.stdout.write(report(name, questions, usual) + "\n")
        if "--tuning" not in sys.argv:
            continue
        for question in questions:
            said = given(question, usual)
            if not question.judging and said != question.expected:
                sys.stdout.write(f"{question.expected}\t{said}\t{question.text}\n")
