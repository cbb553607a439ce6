// As fast as VUS virtual users can go, without thinking, for SECONDS.
import http from "k6/http";
import { summary } from "./summary.js";

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ["p(50)", "p(90)", "p(99)", "max"],
  scenarios: {
    closed: {
      executor: "constant-vus",
      vus: Number(__ENV.VUS),
      duration: `${__ENV.SECONDS}s`,
      gracefulStop: "5s",
    },
  },
};

export default function () {
  http.get(__ENV.URL);
}

export const handleSummary = summary;
