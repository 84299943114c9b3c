package page

// Policy makes the policy that allows a style.
var Policy = policy
