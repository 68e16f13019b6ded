// Follows the board: fetches it every few seconds and puts what changed in place, so that scrolling, focus,
// selection and opened details stay. Rows come from the server as HTML; nothing is built from text here.
"use strict";

(function () {
	const ROWS_OF_A_FAST_BOARD = 300;
	const PERIOD_MS = 2000;
	const SLOW_PERIOD_MS = 10000;
	const HIDDEN_PERIOD_MS = 30000; // title and icon of a tab behind others stay true
	const LOST_AFTER_MS = 6000; // beyond the period
	const LOST_HIDDEN_AFTER_MS = 150000; // browsers wake a hidden page once a minute at least
	const TIMEOUT_MS = 8000;
	const CLOCKS_DIFFER_MS = 2000; // the Date header counts in seconds

	const followText = document.getElementById("follow-text");
	let period = PERIOD_MS;
	let lastText = "";
	let lastAnswerAt = Date.now();
	let clockOffset = 0; // the server's clock dates the reports; ours may be off by this
	let timer = 0;
	let isFetching = false;

	// As words_ago() in words.c.
	function ago(time, now) {
		const seconds = Math.floor((now - time) / 1000);
		if (seconds < 2) return "just now";
		if (seconds < 120) return seconds + " s ago";
		if (seconds < 7200) return Math.floor(seconds / 60) + " min ago";
		if (seconds < 172800) return Math.floor(seconds / 3600) + " h ago";
		return Math.floor(seconds / 86400) + " d ago";
	}

	function setText(element, text) {
		if (element.textContent !== text) element.textContent = text;
	}

	// What is seen of the page while other tabs hide it.
	function showTab(isLost) {
		const board = document.getElementById("board").dataset;
		const title = isLost ? "No contact \u00b7 " + board.title : board.title;
		const href = isLost ? board.lostIcon : board.icon;
		const icon = document.getElementById("icon");
		if (document.title !== title) document.title = title;
		if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
	}

	function tick() {
		const now = Date.now() + clockOffset;
		for (const time of document.querySelectorAll("time[datetime]:not([data-fixed])"))
			setText(time, ago(Date.parse(time.dateTime), now));
		const isLost = Date.now() - lastAnswerAt > (document.hidden ? LOST_HIDDEN_AFTER_MS : LOST_AFTER_MS + period);
		document.documentElement.classList.toggle("is-live", !isLost);
		document.documentElement.classList.toggle("is-lost", isLost);
		showTab(isLost);
		setText(followText, isLost
			? "No contact since " + new Date(lastAnswerAt).toLocaleTimeString() + ", trying again"
			: "Following live");
	}

	// Bring the rows of one table body to those of another, in its order, moving and replacing as little as possible.
	function mergeBody(body, freshBody) {
		const known = new Map();
		for (const row of body.children) known.set(row.dataset.key, row);
		let at = body.firstElementChild;
		for (const fresh of freshBody.children) {
			const old = known.get(fresh.dataset.key);
			known.delete(fresh.dataset.key);
			let row = old;
			if (!old || old.dataset.version !== fresh.dataset.version)
				row = document.importNode(fresh, true);
			if (old && row !== old) {
				old.classList.remove("has-changed");
				if (row.className !== old.className) row.classList.add("has-changed");
				if (at === old) at = row;
				old.replaceWith(row);
			}
			if (row === at) at = at.nextElementSibling;
			else body.insertBefore(row, at);
		}
		for (const gone of known.values()) gone.remove();
	}

	// What is moved or replaced loses the focus: it goes back to the same site, wherever that stands now.
	function keepFocus(change) {
		const focused = document.activeElement;
		const key = focused?.closest("#sites tr")?.dataset.key;
		const wasSummary = focused?.matches("#sites summary");
		change();
		if (document.activeElement === focused) return;
		const row = [...document.querySelectorAll("#sites tr")].find(one => key && one.dataset.key === key);
		const next = wasSummary ? document.querySelector("#sites summary") : row?.querySelector("a");
		next?.focus({ preventScroll: true });
	}

	// The element itself stays: a live region that is replaced is not read out.
	function mergePart(id, fresh) {
		const old = document.getElementById(id);
		const next = fresh.querySelector("#" + id);
		if (old.innerHTML !== next.innerHTML) old.replaceChildren(...document.importNode(next, true).childNodes);
	}

	// All of the part but the rows of its tables.
	function frameOf(sites) {
		const copy = sites.cloneNode(true);
		for (const body of copy.querySelectorAll("tbody")) body.replaceChildren();
		copy.querySelector("details")?.removeAttribute("open");
		return copy.innerHTML;
	}

	function mergeSites(fresh) {
		const old = document.getElementById("sites");
		const next = fresh.querySelector("#sites");
		if (frameOf(old) === frameOf(next)) {
			const nextBodies = next.querySelectorAll("tbody");
			old.querySelectorAll("tbody").forEach((body, i) => mergeBody(body, nextBodies[i]));
			return;
		}
		const wasOpen = old.querySelector("details")?.open ?? false;
		old.replaceWith(document.importNode(next, true));
		const details = document.querySelector("#sites details");
		if (details) details.open = wasOpen;
	}

	function show(text) {
		const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("board");
		const board = document.getElementById("board");
		if (!fresh) throw new Error("no board"); // of a proxy that wants a login, say
		if (fresh.dataset.build !== board.dataset.build) {
			location.reload(); // a newer release serves us
			return;
		}
		document.getElementById("summary").className = fresh.querySelector("#summary").className;
		for (const id of ["headline", "tally", "notices"]) mergePart(id, fresh);
		keepFocus(() => mergeSites(fresh));
		for (const name of ["title", "icon"]) board.dataset[name] = fresh.dataset[name];
	}

	function schedule(delay) {
		clearTimeout(timer);
		timer = setTimeout(update, delay);
	}

	async function fetchBoard() {
		const signal = AbortSignal.timeout(TIMEOUT_MS);
		const answer = await fetch("/board", { cache: "no-cache", signal });
		if (!answer.ok) return;
		const text = await answer.text();
		const offset = Date.parse(answer.headers.get("Date")) - Date.now();
		clockOffset = Math.abs(offset) > CLOCKS_DIFFER_MS ? offset : 0;
		if (text !== lastText) show(text);
		lastText = text;
		lastAnswerAt = Date.now();
	}

	async function update() {
		if (isFetching) return;
		isFetching = true;
		try {
			await fetchBoard();
		} catch {
			// Said on the page by tick(), once it has lasted.
		}
		isFetching = false;
		tick();
		const rows = document.querySelectorAll("tr[data-key]").length;
		period = rows > ROWS_OF_A_FAST_BOARD ? SLOW_PERIOD_MS : PERIOD_MS;
		schedule(document.hidden ? HIDDEN_PERIOD_MS : period);
	}

	document.addEventListener("visibilitychange", () => {
		if (document.hidden) return;
		lastAnswerAt = Math.max(lastAnswerAt, Date.now() - LOST_AFTER_MS / 2);
		schedule(0);
	});
	setInterval(tick, 1000);
	tick();
	schedule(PERIOD_MS / 2);
})();
