/* What the upload desk does by itself where scripts run; without them its pages say the same and reload. */

"use strict";

const SECOND = 1000;

function follow(section) {
    const bar = section.querySelector("progress");
    const message = section.querySelector(".message");
    const look = async () => {
        try {
            const answer = await fetch(section.dataset.progress, { headers: { Accept: "application/json" } });
            if (answer.ok) {
                const told = await answer.json();
                if (String(told.revision) !== section.dataset.revision) {
                    window.location.reload();
                    return;
                }
                show(bar, message, told);
            } else if (answer.status === 403 || answer.status === 404) {
                window.location.reload();
                return;
            }
        } catch {
            /* The hub cannot be reached at the moment; it is asked again. */
        }
        window.setTimeout(look, SECOND);
    };
    window.setTimeout(look, SECOND);
}

function show(bar, message, told) {
    const number = new Intl.NumberFormat("en");
    if (told.total > 0) {
        bar.max = told.total;
        bar.value = told.done;
    } else {
        bar.removeAttribute("value");
    }
    const words = told.message || "Waiting for a worker";
    const amount = told.total > 0 ? `, ${number.format(told.done)} of ${number.format(told.total)}` : "";
    if (message.textContent !== words + amount) {
        message.textContent = words + amount;
    }
}

function guard(form) {
    const file = form.querySelector("input[type=file]");
    const refused = form.querySelector(".refused");
    const tooLarge = () => file.files.length > 0 && file.files[0].size > Number(form.dataset.most);
    file.addEventListener("change", () => { refused.hidden = !tooLarge(); });
    form.addEventListener("submit", (event) => {
        if (tooLarge()) {
            refused.hidden = false;
            event.preventDefault();
        }
    });
}

function once(form) {
    form.addEventListener("submit", (event) => {
        if (event.defaultPrevented) {
            return;
        }
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "1";
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.setAttribute("aria-disabled", "true"); });
    });
}

document.querySelectorAll("[data-progress]").forEach(follow);
document.querySelectorAll("form[data-most]").forEach(guard);
document.querySelectorAll("#content form").forEach(once);
window.addEventListener("pageshow", () => {
    document.querySelectorAll("#content form").forEach((form) => {
        delete form.dataset.sent;
        form.querySelectorAll("button[type=submit]").forEach((button) => { button.removeAttribute("aria-disabled"); });
    });
});
