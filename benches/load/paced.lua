-- Each connection thinks between 150 and 450 ms before it asks again, so that
-- the number of connections sets the rate and not the speed of the answers.
function delay()
  return math.random(150, 450)
end
