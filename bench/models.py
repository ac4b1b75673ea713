"""placeholder"""
from __future__ import annotations
import sys
import numpy as np
import _irc_rows as irc_rows
import _measure as measure
import _replay_cost as cost
from demur.corpus.session import reading
from demur.training.config import Config
DECLARED = 0.2
def replay_cost():
    config = Config(vocabulary=irc_rows.VOCABULARY)
    with irc_rows.imported() as workspace, reading(workspace, irc_rows.NOW) as session, measure.scratch() as folder:
        persons, declared = irc_rows.declared_of(session, DECLARED)
        tokenizer = irc_rows.tokenizer_of(session, persons[declared], folder / "tokenizer", config.context)
        irc = irc_rows.read(session, tokenizer).of(~declared, persons)
    keys = [bytes([number]) * 32 for number in range(1, 6)]
    for most in (4000, None):
        print(f"\ncap: {most}")
        cost.show(irc if most is None else irc_rows.capped(irc, most), config, keys)
replay_cost()
