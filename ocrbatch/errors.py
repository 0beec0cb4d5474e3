"""The errors that a user can cause; each class carries its exit code.

Exit codes 1 (a traceback) and 2 (wrong usage, from click) are left alone.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line returns to the shell."""

    OK = 0
    USAGE = 2
    PLUGIN = 3
    CONFIG = 4
    INPUT = 5
    OUTPUT = 6
    BUNDLE = 7
    TRAINING = 8
    PARTIAL = 10
    INTERRUPTED = 130


class OcrbatchError(Exception):
    """Base of all errors with one clear sentence for the user: what, where, what to do."""

    exit_code: ExitCode = ExitCode.USAGE


class PluginError(OcrbatchError):
    """A plugin is missing, broken, blocked or ambiguous."""

    exit_code = ExitCode.PLUGIN


class ConfigError(OcrbatchError):
    """A configuration value or key is wrong."""

    exit_code = ExitCode.CONFIG


class InputError(OcrbatchError):
    """An input file, folder or label cannot be used."""

    exit_code = ExitCode.INPUT


class OutputError(OcrbatchError):
    """A result cannot be written where it was asked for."""

    exit_code = ExitCode.OUTPUT


class BundleError(OcrbatchError):
    """A model bundle is missing, damaged or does not fit."""

    exit_code = ExitCode.BUNDLE


class TrainingError(OcrbatchError):
    """A training cannot start or go on."""

    exit_code = ExitCode.TRAINING
