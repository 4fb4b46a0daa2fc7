# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A test run as small projects have it: data structures, text, files, a database, a child process.

    python3 test_load.py TIMES      runs it so many times over in one process
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest


class Load(unittest.TestCase):
    def test_structures(self):
        rows = [{"id": number, "name": f"row {number}"} for number in range(2000)]
        self.assertEqual(json.loads(json.dumps(rows)), rows)
        self.assertEqual(sorted(rows, key=lambda row: -row["id"])[0]["id"], 1999)

    def test_text(self):
        text = " ".join(f"word{number}" for number in range(5000))
        self.assertEqual(len(re.findall(r"word\d*7\b", text)), 500)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(50):
                path = os.path.join(folder, str(number))
                with open(path, "w", encoding="utf-8") as file:
                    file.write("line\n" * number)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(len(file.readlines()), number)
            self.assertEqual(len(os.listdir(folder)), 50)

    def test_database(self):
        base = sqlite3.connect(":memory:")
        base.execute("create table numbers (value integer)")
        base.executemany("insert into numbers values (?)", ((number,) for number in range(2000)))
        self.assertEqual(base.execute("select sum(value) from numbers").fetchone(), (1999000,))
        base.close()

    def test_child(self):
        done = subprocess.run(["sh", "-c", "echo said"], stdout=subprocess.PIPE, check=True)
        self.assertEqual(done.stdout, b"said\n")


if __name__ == "__main__":
    suite = unittest.TestSuite()
    for _ in range(int(sys.argv[1])):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(Load))
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    sys.exit(not result.wasSuccessful())
