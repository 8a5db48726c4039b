"""A desk that is going to be killed: writes random pairs, and says each entry it was promised."""

import sys

from ledger_cases import Dice, session

from basisdesk.ledger.books import Books
from basisdesk.ledger.journal import Journal
from basisdesk.ledger.rules import transactions


def main(path, seed):
    with Journal.open(path) as journal:
        books = Books()
        for _, outcome, txns in journal.entries():
            books.apply(outcome, txns)
        dice = Dice(seed)
        dice.pair = max(books.pairs, default=0)
        started = [session("1000000")]
        while True:
            for outcome in started or dice.trade():
                txns = transactions(outcome, books)
                number = journal.append(outcome, txns)
                sys.stdout.write(f"{number}\n")  # only now may a user see it
                sys.stdout.flush()
                books.apply(outcome, txns)
            started = []


main(sys.argv[1], int(sys.argv[2]))
