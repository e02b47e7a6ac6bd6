/** Own drawings for the emoji that carry meaning here, as SVG shapes in a 20 × 20 box. Names are in emoji.js. */

const tile = (fill) => ["rect", { x: 1, y: 1, width: 18, height: 18, rx: 5, fill }];
const stroke = (d, color = "#fff", width = 2.4) => [
  "path",
  { d, fill: "none", stroke: color, "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" },
];
const disc = (fill) => [["circle", { cx: 10, cy: 10, r: 8, fill }]];

const HOURGLASS = [
  ["path", { d: "M5 2.5h10M5 17.5h10", stroke: "#a06a2c", "stroke-width": 2.2, "stroke-linecap": "round" }],
  ["path", { d: "M6 3.5h8v2.7L11 10l3 3.8v2.7H6v-2.7L9 10 6 6.2z", fill: "#bcd5de" }],
  ["path", { d: "M7.3 16.5 10 12.8l2.7 3.7zM8 6.5h4L10 9z", fill: "#e0a13c" }],
];
const CLOCK = [
  ["circle", { cx: 10, cy: 11, r: 7, fill: "#f4f7f8", stroke: "#2f7f9a", "stroke-width": 2 }],
  stroke("M10 7.5V11l2.5 1.5M8 2h4", "#2f7f9a", 1.8),
];

/** Shapes by character, without the variation selector. */
export const DRAWINGS = {
  "🚀": [
    ["path", { d: "M6.5 12.5 3 13.5 5.5 9l3-.5zM7.5 13.5 6.5 17 11 14.5l.5-3z", fill: "#d2483b" }],
    ["path", { d: "M18.5 1.5c-5 0-8.5 2.5-11.5 8.5L10 13c6-3 8.5-6.5 8.5-11.5z", fill: "#8fa9b8" }],
    ["path", { d: "M18.5 1.5c-2 0-3.7.4-5.3 1.3l4 4c.9-1.6 1.3-3.3 1.3-5.3z", fill: "#d2483b" }],
    ["circle", { cx: 12.6, cy: 7.4, r: 1.9, fill: "#1d4654" }],
    ["path", { d: "M5 13.5c-1.7.6-2.7 2.2-3 5 2.8-.3 4.4-1.3 5-3z", fill: "#f0a53a" }],
  ],
  "✅": [tile("#1f9d63"), stroke("M5.5 10.5 8.7 13.6 14.7 6.8")],
  "❌": [tile("#d2483b"), stroke("M6.3 6.3l7.4 7.4M13.7 6.3l-7.4 7.4")],
  "⏹": [tile("#5d7684"), ["rect", { x: 6, y: 6, width: 8, height: 8, rx: 1.2, fill: "#fff" }]],
  "⏸": [tile("#5d7684"), stroke("M7.5 6.5v7M12.5 6.5v7")],
  "⏪": [tile("#2f7f9a"), stroke("M9.8 6.3 6 10l3.8 3.7M14.3 6.3 10.5 10l3.8 3.7", "#fff", 2)],
  "↩": [tile("#2f7f9a"), stroke("M8 5.5 5 8.5l3 3M5.5 8.5H12a2.9 2.9 0 0 1 0 5.8H9.5", "#fff", 1.9)],
  "🔄": [
    tile("#2f7f9a"),
    stroke("M14.5 8.5A5 5 0 0 0 5.6 8M5.5 11.5a5 5 0 0 0 8.9.5M5.3 4.8V8h3.2M14.7 15.2V12h-3.2", "#fff", 1.7),
  ],
  "🔁": [
    tile("#2f7f9a"),
    stroke(
      "M5 9.5V8.5a2 2 0 0 1 2-2h8M12.8 4.3 15 6.5l-2.2 2.2M15 10.5v1a2 2 0 0 1-2 2H5M7.2 15.7 5 13.5l2.2-2.2",
      "#fff",
      1.6,
    ),
  ],
  "⚠": [
    [
      "path",
      {
        d: "M10 1.8c.7 0 1.3.4 1.6 1l7 13c.6 1.2-.2 2.5-1.6 2.5H3c-1.4 0-2.2-1.3-1.6-2.5l7-13c.3-.6.9-1 1.6-1z",
        fill: "#f0b23a",
      },
    ],
    stroke("M10 7.2v4.6M10 14.9v.1", "#3c2a05", 2.2),
  ],
  "⌛": HOURGLASS,
  "⏳": HOURGLASS,
  "❗": [stroke("M10 3v8.5M10 16.5v.1", "#d2483b", 3)],
  "❓": [stroke("M6.5 6.5a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1-1.5 2.3M10 16.5v.1", "#d2483b", 2.8)],
  "⏱": CLOCK,
  "⏰": CLOCK,
  "🕐": CLOCK,
  "🛑": [["path", { d: "M6.5 1.5h7l5 5v7l-5 5h-7l-5-5v-7z", fill: "#d2483b" }]],
  "🔒": [
    stroke("M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9", "#8fa3ad", 2.2),
    ["rect", { x: 4, y: 8.5, width: 12, height: 9, rx: 2.2, fill: "#e2a93f" }],
    stroke("M10 12v2.2", "#5c3f0a", 2),
  ],
  "🔓": [
    stroke("M6.5 9V5.5a3.5 3.5 0 0 1 6.8-1.2", "#8fa3ad", 2.2),
    ["rect", { x: 4, y: 8.5, width: 12, height: 9, rx: 2.2, fill: "#e2a93f" }],
    stroke("M10 12v2.2", "#5c3f0a", 2),
  ],
  ℹ: [tile("#2f7f9a"), stroke("M10 9.2v5M10 5.8v.1", "#fff", 2.3)],
  "⛔": [...disc("#d2483b"), stroke("M6 10h8", "#fff", 2.8)],
  "🚫": [
    ["circle", { cx: 10, cy: 10, r: 7.2, fill: "none", stroke: "#d2483b", "stroke-width": 2.4 }],
    stroke("M5.2 5.2l9.6 9.6", "#d2483b"),
  ],
  "🟢": disc("#1f9d63"),
  "🔴": disc("#d2483b"),
  "🟡": disc("#ecb93c"),
  "🔵": disc("#2f7fc2"),
  "⚪": disc("#cfd8dc"),
  "📄": [
    ["path", { d: "M4.5 1.5h7.5l4 4v13H4.5z", fill: "#dbe6ea" }],
    ["path", { d: "M12 1.5l4 4h-4z", fill: "#9db4be" }],
    stroke("M7 9h6M7 12h6M7 15h4", "#6b8490", 1.3),
  ],
  "📦": [
    ["path", { d: "M2 6l8-4 8 4v9l-8 4-8-4z", fill: "#c8944f" }],
    ["path", { d: "M2 6l8 4 8-4-8-4z", fill: "#e0b373" }],
    stroke("M10 10v8.5M6 4l8 4v3", "#8a5c25", 1.2),
  ],
  "👀": [
    ["ellipse", { cx: 6, cy: 10, rx: 4, ry: 6, fill: "#f4f7f8", stroke: "#5d7684" }],
    ["ellipse", { cx: 14, cy: 10, rx: 4, ry: 6, fill: "#f4f7f8", stroke: "#5d7684" }],
    ["circle", { cx: 7, cy: 11, r: 2, fill: "#22333b" }],
    ["circle", { cx: 15, cy: 11, r: 2, fill: "#22333b" }],
  ],
  "🎉": [
    ["path", { d: "M2 18 6.5 7l6.5 6.5z", fill: "#e2a93f" }],
    stroke("M10.5 7.5c1-1.5 1-3 .3-4.8M13 9.5c1.5-1 3-1 4.8-.3M12 8l4-4", "#2f7f9a", 1.6),
    ["circle", { cx: 16.5, cy: 13, r: 1.3, fill: "#d2483b" }],
    ["circle", { cx: 7.5, cy: 3.5, r: 1.3, fill: "#1f9d63" }],
  ],
};
