"""The version of the results folder; readers refuse others in one sentence and change nothing."""

FORMAT = 1
