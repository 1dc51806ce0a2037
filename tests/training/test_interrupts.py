"""A signal is a wish to stop; a second one is an order."""

import os
import signal
import threading

import pytest

from latent_hrl.training import interrupts


@pytest.mark.parametrize('number', interrupts.SIGNALS)
def test_a_signal_is_told_and_breaks_nothing_off(number, capsys):
  with interrupts.deferred() as interrupted:
    assert interrupted() is None
    os.kill(os.getpid(), number)
    assert interrupted() == number
  assert 'once more to stop at once' in capsys.readouterr().out


def test_a_second_signal_breaks_off_and_the_handlers_come_back():
  before = [signal.getsignal(number) for number in interrupts.SIGNALS]

  with pytest.raises(KeyboardInterrupt), interrupts.deferred():
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)

  assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before


def test_another_thread_takes_no_signals_and_leaves_them_alone():
  found = []

  def run():
    before = signal.getsignal(signal.SIGTERM)
    with interrupts.deferred() as interrupted:
      found.append(interrupted())
      found.append(signal.getsignal(signal.SIGTERM) is before)

  thread = threading.Thread(target=run)
  thread.start()
  thread.join()

  assert found == [None, True]
