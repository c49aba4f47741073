(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const dag = document.getElementById("dag");
  const panel = document.getElementById("panel");
  const keep = document.getElementById("keep");
  const groups = [...dag.querySelectorAll(".node")];
  const places = new Map(groups.map((group) => [Number(group.dataset.node), group]));
  // Places of the selected nodes, the last one's details are shown.
  let chosen = [];

  // Elements are made one by one and text only as text: nothing of the data is ever read as HTML.
  const make = (space) => (name, attributes = {}, ...children) => {
    const element = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick") element.addEventListener("click", value);
      else element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const html = make(document.body.namespaceURI);
  const svg = make(dag.namespaceURI);

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const percent = (spread) => {
    if (!spread) return "–";
    const text = (spread.mean * 100).toFixed(2);
    return spread.std === null ? text : `${text} ± ${(spread.std * 100).toFixed(2)}`;
  };

  // A number of an epoch, of the seeds that have it.
  const averaged = (runs) => {
    const longest = Math.max(0, ...runs.map((run) => run.length));
    return Array.from({ length: longest }, (_, epoch) => {
      const values = runs.map((run) => run[epoch]).filter((value) => typeof value === "number");
      return values.length ? mean(values) : null;
    });
  };

  // A measurement has no curve of its own: it shows its network's.
  const trained = (index) => (data.nodes[index].kind === "eval" ? data.nodes[index].parents[0] : index);
  const curvesOf = (index) =>
    data.nodes[trained(index)].tasks.filter((task) => task.made && task.made.curve)
      .map((task) => ({ ...task.made.curve, selected: task.made.selected }));

  const ticks = (low, high) => {
    if (low === high) { low -= 1; high += 1; }
    const least = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least * 0.999999);
    const first = Math.floor(low / step);
    const count = Math.ceil(high / step) - first;
    return Array.from({ length: count + 1 }, (_, index) => (first + index) * step);
  };
  const short = (value) => String(Number(value.toPrecision(6))).replace("-", "−");

  // One number of each epoch as lines: `field` of each chosen network, thin for a seed, bold for the
  // mean.
  const chart = (title, field) => {
    const series = chosen.map((index, order) => {
      const curves = curvesOf(index);
      const runs = curves.map((curve) => curve[field]);
      return { name: data.nodes[trained(index)].name, order, runs, curves, mean: averaged(runs) };
    }).filter(({ mean }) => mean.some((value) => value !== null));
    if (!series.length) return null;
    const [width, height, left, right, top, bottom] = [480, 230, 52, 470, 26, 196];
    const values = series.flatMap(({ runs }) => runs.flat()).filter((value) => typeof value === "number");
    const marks = ticks(Math.min(...series.map(({ runs }) => lowest(runs))), values.reduce((a, b) => Math.max(a, b)));
    const epochs = Math.max(...series.map(({ mean }) => mean.length));
    const x = (epoch) => left + (epochs === 1 ? 0.5 : (epoch - 1) / (epochs - 1)) * (right - left);
    const y = (value) => bottom - ((value - marks[0]) / (marks.at(-1) - marks[0])) * (bottom - top);
    const line = (run, style) => {
      const points = run.map((value, index) => (typeof value === "number" ? `${x(index + 1).toFixed(1)},${y(value).toFixed(1)}` : null)).filter(Boolean);
      if (points.length === 1) {
        const [cx, cy] = points[0].split(",");
        return svg("circle", { cx, cy, r: 3, ...style });
      }
      return svg("polyline", { points: points.join(" "), fill: "none", ...style });
    };
    const summary = series.map(({ name, mean }) => `${name} from ${short(mean[0])} to ${short(mean.at(-1))}`).join("; ");
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${title} by epoch: ${summary}` });
    picture.append(svg("text", { x: 4, y: 14 }, title));
    for (const mark of marks) {
      picture.append(
        svg("line", { x1: left, x2: right, y1: y(mark), y2: y(mark), class: "faint" }),
        svg("text", { x: left - 6, y: y(mark) + 4, "text-anchor": "end" }, short(mark)),
      );
    }
    const steps = ticks(1, epochs).filter((epoch) => Number.isInteger(epoch) && epoch >= 1 && epoch <= epochs);
    for (const epoch of new Set([1, ...steps])) {
      picture.append(svg("text", { x: x(epoch), y: bottom + 16, "text-anchor": "middle" }, String(epoch)));
    }
    picture.append(svg("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, "epoch"));
    for (const { order, runs, curves, mean } of series) {
      const ink = `s${order % 7}`;
      const dash = order >= 7 ? { "stroke-dasharray": "6 4" } : {};
      runs.forEach((run, index) => {
        if (runs.length > 1) picture.append(line(run, { class: `${ink} seed`, "stroke-width": 1 }));
        const at = curves[index].selected;
        if (at && typeof run[at - 1] === "number") {
          picture.append(svg("circle", { cx: x(at), cy: y(run[at - 1]), r: 3.5, class: `${ink} f-ground`, "stroke-width": 1.4 }, svg("title", {}, `epoch ${at}, whose weights are kept`)));
        }
      });
      picture.append(line(mean, { class: `${ink} mean`, "stroke-width": 2.2, ...dash }));
    }
    const cursor = svg("line", { y1: top, y2: bottom, class: "soft", visibility: "hidden" });
    picture.append(cursor);
    const readout = html("p", { class: "readout", "aria-hidden": "true" });
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * width;
      const epoch = Math.min(epochs, Math.max(1, Math.round(1 + ((at - left) / (right - left)) * (epochs - 1)) || 1));
      cursor.setAttribute("x1", x(epoch));
      cursor.setAttribute("x2", x(epoch));
      cursor.setAttribute("visibility", "visible");
      const told = series.filter(({ mean }) => typeof mean[epoch - 1] === "number");
      readout.textContent = `epoch ${epoch}: ` + told.map(({ name, mean }) => `${name} ${short(mean[epoch - 1])}`).join(", ");
    });
    picture.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      readout.textContent = "";
    });
    const rows = Array.from({ length: epochs }, (_, index) => html("tr", {}, html("th", { scope: "row" }, String(index + 1)),
      ...series.map(({ mean }) => html("td", {}, typeof mean[index] === "number" ? short(mean[index]) : "–"))));
    const head = html("tr", {}, html("th", { scope: "col" }, "epoch"), ...series.map(({ name }) => html("th", { scope: "col" }, name)));
    const numbers = html("details", {}, html("summary", {}, `${title} as numbers`),
      html("table", {}, html("caption", {}, `${title}, mean over the seeds`), html("thead", {}, head), html("tbody", {}, ...rows)));
    return html("div", { class: "chart" }, picture, readout, numbers);
  };
  const lowest = (runs) => runs.flat().filter((value) => typeof value === "number").reduce((a, b) => Math.min(a, b), Infinity);

  // Columns of words; the others are numbers.
  const WORDS = new Set(["class", "seed", "state", "field", "value", "key", "made on", "finished (UTC)", "by", "as"]);
  const table = (caption, heads, rows) => html("div", { class: "wide" }, html("table", {}, html("caption", {}, caption),
    html("thead", {}, html("tr", {}, ...heads.map((head) => html("th", { scope: "col", ...(WORDS.has(head) ? { class: "word" } : {}) }, head)))),
    html("tbody", {}, ...rows)));
  const row = (head, ...cells) => html("tr", {}, html("th", { scope: "row" }, head), ...cells);
  const cell = (text, attributes = {}) => html("td", attributes, text);

  const pictures = answerPictures({ html, svg, table, row, cell });
  // Where a node's answers are counted: a measurement's own, of a network its first measurement's.
  const countedAt = (index) => {
    const { kind, children } = data.nodes[index];
    if (kind === "eval") return index;
    return children.find((child) => data.nodes[child].parents[0] === index && data.nodes[child].answers);
  };
  const namesOf = (index) => data.classes[data.classesOf[countedAt(index)]] ?? [];
  const answersOf = (index) => data.nodes[countedAt(index)]?.answers;

  // Nested fields as paths: recipe.optimizer.sgd.lr.
  const fields = (value, path, found) => {
    if (value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length) {
      for (const [key, inner] of Object.entries(value)) fields(inner, path ? `${path}.${key}` : key, found);
    } else {
      found.push([path, typeof value === "string" ? value : JSON.stringify(value)]);
    }
    return found;
  };

  const links = (title, list) => list.length
    ? html("p", {}, `${title} `, ...list.flatMap((index) => [html("button", { type: "button", onclick: () => { choose(index, false); places.get(index).focus(); } }, data.nodes[index].name), " "]))
    : null;

  const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

  const details = (index) => {
    const node = data.nodes[index];
    const number = (value, digits) => (typeof value === "number" ? value.toFixed(digits) : "–");
    const results = node.tasks.map(({ seed, words, made }) => {
      const metrics = made && made.metrics;
      return row(String(seed), cell(words, { class: "word long" }),
        ...(node.kind === "eval"
          ? [cell(metrics ? (metrics.top1 * 100).toFixed(2) : "–"), cell(metrics ? metrics.loss.toFixed(4) : "–"), cell(metrics ? (metrics.ece * 100).toFixed(2) : "–"),
            cell(metrics ? metrics.entropy.toFixed(3) : "–"), cell(metrics ? metrics.entropy_at_temperature.toFixed(3) : "–")]
          : [cell(made && made.selected ? String(made.selected) : "–")]),
        cell(made ? number(made.seconds, 1) : "–"));
    });
    const heads = node.kind === "eval" ? ["top-1 %", "loss", "ECE %", "entropy", "at τ"] : ["kept epoch"];
    const origin = node.tasks.map(({ seed, key, made }) => row(String(seed), cell(key, { class: "key long" }),
      cell(made ? `${made.provenance.device}${made.provenance.cpu ? ` (${made.provenance.cpu})` : ""}, ${made.provenance.threads} threads on ${made.provenance.host}` : "–", { class: "long" }),
      cell(made ? moment(made.provenance.finished) : "–", { class: "word" }),
      cell(made ? `takd ${made.provenance.takd}, burn ${made.provenance.burn}` : "–", { class: "word" }),
      cell(made ? made.provenance.node : "–", { class: "word" })));
    return [
      links(node.kind === "eval" ? "Measures" : "Learns from", node.parents),
      node.file ? html("p", {}, `Learns from the file ${node.file}`) : null,
      links("Teaches", node.children.filter((child) => data.nodes[child].kind !== "eval")),
      links("Measured by", node.children.filter((child) => data.nodes[child].kind === "eval")),
      ...node.tasks.filter(({ making }) => making).map(({ seed, making }) =>
        html("p", { class: "note" }, `seed ${seed}: begun ${moment(making.since)} UTC, last heard of ${moment(making.updated)} UTC`)),
      table("Results", ["seed", "state", ...heads, "seconds"], results),
      table("Configuration: what is hashed", ["field", "value"], fields(node.config, "", []).map(([path, value]) => row(path, cell(value, { class: "long" })))),
      table("Keys and provenance", ["seed", "key", "made on", "finished (UTC)", "by", "as"], origin),
    ];
  };

  // A node's own address in the page, which can be kept and sent.
  const address = (index) => encodeURI(`#node-${data.nodes[index].name}`);

  const show = () => {
    for (const group of groups) {
      const pressed = String(chosen.includes(Number(group.dataset.node)));
      if (group.getAttribute("aria-pressed") !== pressed) group.setAttribute("aria-pressed", pressed);
    }
    if (!chosen.length) {
      panel.replaceChildren(html("p", { class: "note hint" }, "Select a node to see its curves, configuration, key and provenance."));
      return;
    }
    const legend = chosen.map((index, order) => html("li", {},
      html("span", { class: "swatch", style: `color: var(--s${order % 7})` }),
      html("button", { type: "button", "aria-label": `Take ${data.nodes[index].name} out`, onclick: () => choose(index, true) }, `${data.nodes[index].name} ×`)));
    const charts = [chart("accuracy on the eval split (%)", "accuracy"), chart("loss on the training split", "loss")].filter(Boolean);
    const answered = chosen.map((index, order) => ({ name: data.nodes[index].name, order, ...answersOf(index) })).filter(({ bins }) => bins);
    if (answered.length) charts.push(pictures.reliability(answered));
    const last = data.nodes[chosen.at(-1)];
    const counted = answersOf(chosen.at(-1));
    if (counted) charts.push(pictures.matrix(counted, namesOf(chosen.at(-1))));
    else if (last.accuracy) charts.push(html("p", { class: "note" }, `Measured before answers were counted: takd run --force ${data.nodes[countedAt(chosen.at(-1)) ?? last.children.find((child) => data.nodes[child].kind === "eval") ?? chosen.at(-1)].name} counts them.`));
    panel.replaceChildren(
      html("h3", {}, html("a", { href: address(chosen.at(-1)) }, last.name)),
      html("p", { class: "note" }, `${last.kind}, ${last.what}${last.parameters === null ? "" : `, ${last.parameters.toLocaleString("en")} parameters`}; ${last.standing || last.tasks[0].words}; accuracy ${percent(last.accuracy)} %`),
      html("ul", { class: "chosen", "aria-label": "Selected nodes" }, ...legend),
      html("div", { class: "charts" }, ...(charts.length ? charts : [html("p", { class: "note" }, "No picture: nothing of it is in the cache, or its weights were imported.")])),
      ...details(chosen.at(-1)).filter(Boolean),
    );
    panel.scrollTop = 0;
  };

  const choose = (index, add) => {
    if (!add) chosen = [index];
    else if (chosen.includes(index)) chosen = chosen.filter((other) => other !== index);
    else chosen = [...chosen, index];
    show();
    if (chosen.length) history.replaceState(null, "", address(chosen.at(-1)));
  };

  const enter = (group) => {
    dag.querySelector('[tabindex="0"]').setAttribute("tabindex", "-1");
    group.setAttribute("tabindex", "0");
    group.focus();
  };

  // One stop for Tab; arrows go from node to node, sideways along what learns from what.
  const beside = (index, key) => {
    const at = groups.indexOf(places.get(index));
    const { parents, children } = data.nodes[index];
    switch (key) {
      case "ArrowDown": return groups[at + 1];
      case "ArrowUp": return groups[at - 1];
      case "ArrowLeft": return places.get(parents[0]);
      case "ArrowRight": return places.get(children.find((child) => data.nodes[child].kind !== "eval") ?? children[0]);
      case "Home": return groups[0];
      case "End": return groups.at(-1);
      default: return undefined;
    }
  };

  const nodeOf = (event) => event.target.closest(".node");
  dag.addEventListener("click", (event) => {
    const group = nodeOf(event);
    if (!group) return;
    enter(group);
    choose(Number(group.dataset.node), keep.checked || event.ctrlKey || event.metaKey || event.shiftKey);
  });
  dag.addEventListener("keydown", (event) => {
    const group = nodeOf(event);
    if (!group) return;
    const index = Number(group.dataset.node);
    if (event.key === "Enter" || event.key === " ") {
      choose(index, keep.checked || event.ctrlKey || event.metaKey || event.shiftKey);
    } else {
      const next = beside(index, event.key);
      if (!next) return;
      enter(next);
    }
    event.preventDefault();
  });
  show();

  // Where an address leads: to the node, its details beside it.
  const follow = () => {
    const index = data.nodes.findIndex((_, index) => address(index) === location.hash);
    if (index < 0) return;
    choose(index, false);
    const group = places.get(index);
    if (group) enter(group);
    panel.scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", follow);
  follow();
})();
