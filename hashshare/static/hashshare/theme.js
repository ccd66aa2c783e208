"use strict";

// Light or dark: as the system says, unless somebody chose. Runs before the first paint, so that nothing flashes.
{
    const KEY = "theme";
    const MODES = ["light", "dark"];
    const root = document.documentElement;

    const chosen = () => {
        try {
            const mode = localStorage.getItem(KEY);
            return MODES.includes(mode) ? mode : "auto";
        } catch {
            return "auto"; // storage is off: the system's choice it is
        }
    };
    const keep = (mode) => {
        try {
            localStorage.setItem(KEY, mode);
        } catch {
            // chosen for this page alone, then
        }
    };
    const show = (mode) => {
        if (MODES.includes(mode)) root.dataset.theme = mode;
        else delete root.dataset.theme;
        for (const button of document.querySelectorAll(".theme-switch button")) {
            button.setAttribute("aria-pressed", String(button.value === mode));
        }
    };

    show(chosen());
    addEventListener("storage", (event) => { if (event.key === KEY) show(chosen()); });
    document.addEventListener("DOMContentLoaded", () => {
        for (const group of document.querySelectorAll(".theme-switch")) {
            group.hidden = false;
            group.addEventListener("click", (event) => {
                const button = event.target.closest("button");
                if (!button) return;
                keep(button.value);
                show(button.value);
            });
        }
        show(chosen());
    });
}
