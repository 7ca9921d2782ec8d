"""Jupyter's own tests of kernels, python3-jupyter-kernel-test, all of them."""
import os
import tempfile
import unittest
import unittest.mock

import jupyter_kernel_test

CREATE = """CREATE OR REPLACE MODEL "hello, world" FROM 'models/chest.onnx'; """


class Patient(jupyter_kernel_test.KernelTests):
    """Waits as long as it takes: the suite's 15 seconds are few where other tests compute meanwhile."""

    kernel_name = "occlude"

    def get_non_kernel_info_reply(self, timeout=None):
        return super().get_non_kernel_info_reply(timeout=120)


class Occlude(Patient):
    language_name = "occlude"
    file_extension = ".oql"
    code_hello_world = CREATE
    completion_samples = [
        {"text": "DESC", "matches": {"DESCRIBE"}},
        {"text": "desc", "matches": {"describe"}},
        {"text": "SET thr", "matches": {"threads"}},
        {"text": "wibble", "matches": set()},
    ]
    complete_code_samples = ["", "SHOW ALL;", "SHOW\nALL;", "SET threads = 2; SHOW ALL;", "?occlude", "-- a remark"]
    incomplete_code_samples = ["SHOW ALL", "OCCLUDE 'scan.png", "SHOW /* ALL;", "SHOW ALL; SHOW"]
    invalid_code_samples = ["SHWO ALL;", "OCCLUDE 1;"]
    code_page_something = "?OCCLUDE"
    code_generate_error = "SHOW wibble;"
    code_execute_result = [
        {"code": "SHOW threads;", "result": " threads \n---------\n auto    \n(1 row)"},
        {"code": "SHOW kernels;", "result": " kernels \n---------\n auto    \n(1 row)"},
        {"code": "SHOW ALL;", "mime": "text/html"},
    ]
    code_display_data = [{"code": CREATE + """OCCLUDE 'images/clear.png' USING "hello, world" STRIDE 104;""", "mime": "image/png"}]
    code_history_pattern = "SHOW thr*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "OCCLUDE"
    # The bar is cleared of what takes long: a hundred thousand million multiply-adds.
    code_clear_output = """OCCLUDE 'images/clear.png' USING "hello, world" STRIDE 6 WITH (plan = full);"""

    def test_clear_output(self):
        self.execute_helper(CREATE + "SET threads = 1;")
        try:
            super().test_clear_output()
        finally:
            self.execute_helper("RESET threads;")

    def test_pager_on_models(self):
        self.execute_helper(CREATE)
        self.code_page_something = "hello, world?"
        super().test_pager()


class Warned(Patient):
    """A store that cannot be read is warned of."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        os.mkdir(os.path.join(folder.name, "occlude.db"))
        with unittest.mock.patch.dict(os.environ, OCCLUDE_DATA=folder.name):
            super().setUpClass()

    code_stderr = CREATE + """PREDICT 'images/clear.png' USING "hello, world";"""


def load_tests(loader, tests, pattern):
    names = [n for n in loader.getTestCaseNames(Occlude) if n != "test_execute_stderr"]
    return unittest.TestSuite([*map(Occlude, names), Warned("test_execute_stderr")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
