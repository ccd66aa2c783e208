"""The pages as people get them: a real hub, Debian's Chromium driven by Playwright, and axe-core looking for barriers.

    make test-browser                       these tests alone; `make test` runs them with the others
    make screenshots                        every main page, light and dark, desktop and telephone

They need Chromium (Debian: `apt-get install chromium`) and axe-core (`make axe`, which needs npm) and are skipped, with
a reason that nobody overlooks, where one is missing. HASHSHARE_TEST_BROWSER=1 makes that a failure.

A journey is a test that takes a `desk`, that is, somebody signed in:

    def test_an_analyst_withdraws_an_entry(desks: Desks) -> None:
        with desks.of("analyst") as desk:                      # operator, analyst, engineer, observer
            desk.open("/admin/")
            desk.page.get_by_role("link", name="Lists").click()
            desk.page.get_by_role("button", name="Withdraw").click()
            desk.shows("3 entries are withdrawn")
            desk.barrier_free()                                # axe-core on what is shown now, light and dark

Leaving the `with` fails the test when the browser reported anything meanwhile: a violation of the content security
policy, a console error, a request that failed or was answered by 400 or more. `desk.expect(403)` before a step allows
that answer.

What is kept where: `chromium.py` finds and starts the browser, `desk.py` is one person at one window, `signing_in.py`
the one place that knows how one signs in, `barriers.py` runs axe-core, `cast.py` fills the hub, `walk.py` finds pages.
"""
