# SPDX-License-Identifier: Apache-2.0
"""Rounds in which something is killed at a random moment, under load. SALLYPORT_KILLS says how many
(tests/nightly.sh: 1,000)."""
import os
import random
import subprocess
import time

from tests.support.counting import Bystander

KILLS = int(os.environ.get("SALLYPORT_KILLS", "50"))
# A folder is verified as a whole after each round: a new one now and then keeps that quick.
ROUNDS_PER_BASTION = 50
LONGEST_WAIT_S = 0.15


class Chance(random.Random):
    """What it said is in the error of who asked it."""

    def __init__(self):
        self.first = random.randrange(1 << 32)
        super().__init__(self.first)

    def moment(self):
        time.sleep(self.random() * LONGEST_WAIT_S)


def nothing_is_wrong(bastion):
    wrong = [finding for finding in bastion.findings("--all") if finding[0] == "wrong"]
    assert not wrong, wrong


def rounds(new_services, one_round):
    chance = Chance()
    for first in range(0, KILLS, ROUNDS_PER_BASTION):
        bastion, client = new_services()
        bystander = Bystander(client)
        for number in range(first, min(KILLS, first + ROUNDS_PER_BASTION)):
            try:
                bystander = one_round(bastion, client, bystander, chance, number)
                nothing_is_wrong(bastion)
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                raise AssertionError(f"round {number} of seed {chance.first}: {error}") from error
        bystander.stop()
        bastion.verify("--all")
