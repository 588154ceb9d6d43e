"""`python -m tests.chat.assistant`: the figures; `--tuning` lists the faults of the tuning half."""

import sys

from chat.core.assistant.facts import Thresholds
from tests.chat.assistant.questions import given, load, report

if __name__ == "__main__":
    usual = Thresholds()
    questions = load()
    sys.stdout.write(report(questions, usual) + "\n")
    if "--tuning" in sys.argv:
        for question in questions:
            said = given(question, usual)
            if not question.judging and said != question.expected:
                sys.stdout.write(f"{question.expected}\t{said}\t{question.text}\n")
