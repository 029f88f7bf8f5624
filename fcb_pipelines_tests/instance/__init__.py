"""Tests of the storage that every process opens."""
