"use strict";
// Pictures of a network's answers: which classes are mistaken for which, and whether it is as often right as it is
// sure. `kit` has what the page makes elements with.
const answerPictures = (kit) => {
  const { html, svg, table, row, cell } = kit;
  // As many classes as a matrix is drawn of; of more the page has the most frequent mistakes alone.
  const MATRIX = 20;

  const mistakes = (confusion) => confusion.filter(([right, answer]) => right !== answer).sort((a, b) => b[2] - a[2]);
  // A class by its name, where the data has names.
  const called = (names, place) => names[place] ?? `class ${place}`;
  const short = (names, place) => {
    const name = names[place] ?? String(place);
    return name.length > 14 ? `${name.slice(0, 13)}…` : name;
  };
  const listed = (confusion, names) => table("Most frequent mistakes", ["class", "taken for", "images"],
    mistakes(confusion).slice(0, 20).map(([right, answer, images]) => row(names[right] ?? String(right), cell(names[answer] ?? String(answer)), cell(String(images)))));

  const matrix = ({ classes, confusion }, names) => {
    if (classes > MATRIX) return listed(confusion, names);
    const side = Math.min(34, Math.floor(400 / classes));
    // Room for names, whose letters are 6.5 pixels wide at most on average.
    const longest = names.length ? Math.max(...Array.from({ length: classes }, (_, place) => short(names, place).length)) : 0;
    const [left, top] = [44 + 6.5 * longest, 40 + 6.5 * longest];
    const totals = Array.from({ length: classes }, (_, right) => confusion.filter((pair) => pair[0] === right).reduce((sum, pair) => sum + pair[2], 0));
    const [worst] = mistakes(confusion);
    const label = worst ? `the most frequent mistake: ${called(names, worst[0])} taken for ${called(names, worst[1])}, ${worst[2]} images` : "no mistake";
    const [width, height] = [left + classes * side + 8, top + classes * side + 8];
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Confusion matrix: ${label}` });
    picture.append(
      svg("text", { x: left + classes * side / 2, y: 14, "text-anchor": "middle" }, "answer"),
      svg("text", { x: 12, y: top + classes * side / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${top + classes * side / 2})` }, "class"),
    );
    for (let place = 0; place < classes; place += 1) {
      const middle = (place + 0.5) * side;
      picture.append(
        names.length
          ? svg("text", { x: left + middle + 4, y: top - 6, "text-anchor": "start", transform: `rotate(-90 ${left + middle + 4} ${top - 6})` }, short(names, place))
          : svg("text", { x: left + middle, y: top - 6, "text-anchor": "middle" }, String(place)),
        svg("text", { x: left - 6, y: top + middle + 4, "text-anchor": "end" }, short(names, place)),
      );
    }
    for (const [right, answer, images] of confusion) {
      const share = images / totals[right];
      const [x, y] = [left + answer * side, top + right * side];
      const told = `${called(names, right)} answered as ${called(names, answer)}: ${images} images, ${(share * 100).toFixed(1)} % of the class`;
      const ink = right === answer ? "f-s0" : "f-s1";
      picture.append(svg("rect", { x, y, width: side - 1, height: side - 1, class: ink, "fill-opacity": (0.08 + 0.72 * share).toFixed(3) }, svg("title", {}, told)));
      if (side >= 24) {
        picture.append(svg("text", { x: x + side / 2, y: y + side / 2 + 4, "text-anchor": "middle", "pointer-events": "none" }, images > 9999 ? `${Math.round(images / 1000)}k` : String(images)));
      }
    }
    return html("div", { class: "chart" }, html("h4", {}, "Confusion matrix, all seeds"), picture,
      html("details", {}, html("summary", {}, "most frequent mistakes"), listed(confusion, names)));
  };

  // `series` are { name, order, bins }: accuracy against confidence, a line each.
  const reliability = (series) => {
    const [width, height, left, right, top, bottom] = [480, 300, 52, 470, 26, 262];
    const x = (share) => left + share * (right - left);
    const y = (share) => bottom - share * (bottom - top);
    const points = ({ bins }) => bins.filter(({ images }) => images > 0).map(({ images, hits, confidence }) => [confidence / images, hits / images, images]);
    const gap = ({ name, bins }) => {
      const all = bins.reduce((sum, { images }) => sum + images, 0);
      const sure = bins.reduce((sum, { confidence }) => sum + confidence, 0) / all;
      const hit = bins.reduce((sum, { hits }) => sum + hits, 0) / all;
      return `${name}: right in ${(hit * 100).toFixed(1)} %, sure of ${(sure * 100).toFixed(1)} %`;
    };
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Reliability: ${series.map(gap).join("; ")}` });
    picture.append(svg("text", { x: 4, y: 14 }, "accuracy (%) by confidence; below the diagonal: surer than right"));
    for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      picture.append(
        svg("line", { x1: left, x2: right, y1: y(share), y2: y(share), class: "faint" }),
        svg("text", { x: left - 6, y: y(share) + 4, "text-anchor": "end" }, String(share * 100)),
        svg("text", { x: x(share), y: bottom + 16, "text-anchor": "middle" }, String(share * 100)),
      );
    }
    picture.append(
      svg("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), class: "soft", "stroke-dasharray": "5 4" }),
      svg("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, "confidence (%)"),
    );
    for (const one of series) {
      const ink = `s${one.order % 7}`;
      picture.append(svg("polyline", { points: points(one).map(([sure, hit]) => `${x(sure).toFixed(1)},${y(hit).toFixed(1)}`).join(" "), fill: "none", class: ink, "stroke-width": 2 }));
      for (const [sure, hit, images] of points(one)) {
        picture.append(svg("circle", { cx: x(sure).toFixed(1), cy: y(hit).toFixed(1), r: 3, class: `${ink} f-${ink}` },
          svg("title", {}, `${one.name}: ${images} images, sure of ${(sure * 100).toFixed(1)} %, right in ${(hit * 100).toFixed(1)} %`)));
      }
    }
    return html("div", { class: "chart" }, html("h4", {}, "Reliability, all seeds"), picture);
  };

  return { matrix, reliability };
};
