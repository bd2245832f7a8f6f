"""Accounts without names: devices, invitations, asks, recovery, sealed records and the meeting place for linking."""
